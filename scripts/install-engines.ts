/** Installs what the second tier of tests stands on, before it is needed: `npm run install:engines`. */
import {
  fetchDescriptions,
  installAirflow,
  installBqemulator,
  installFakesnow,
  installGcs,
  installJupyter,
  installMoto,
  installObservable,
  installPgbouncer,
  installSchemas,
  installSpark,
} from '../test/engines/install.ts'

const all = {
  moto: installMoto,
  'fake-gcs-server': installGcs,
  pgbouncer: installPgbouncer,
  'OpenAPI descriptions': fetchDescriptions,
  fakesnow: installFakesnow,
  bqemulator: installBqemulator,
  Spark: installSpark,
  Jupyter: installJupyter,
  'Observable Framework': installObservable,
  schemas: installSchemas,
  Airflow: installAirflow,
}
let failures = 0
for (const [name, install] of Object.entries(all)) {
  const begun = performance.now()
  try {
    install()
    console.log(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
  } catch (error) {
    failures += 1
    console.error(`${name}: ${(error as Error).message}`)
  }
}
process.exitCode = failures === 0 ? 0 : 1
