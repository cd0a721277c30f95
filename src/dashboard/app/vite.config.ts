import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

/** The page of the dashboard: static files that need no network. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../../../dashboard-page', import.meta.url)),
    emptyOutDir: true,
    // Browsers of the last two years.
    target: 'es2022',
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 700,
  },
})
