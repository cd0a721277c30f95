import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dataDir } from '../../../config/index.ts'
import { removeDrafts, replaceFile } from '../../../disk/index.ts'
import { addToken } from '../../../errors/index.ts'

/** Whose token: of a source, and of the credentials it began with. New credentials begin anew. */
export interface TokenPlace {
  source: string
  given: string
}

const fileOf = ({ source, given }: TokenPlace): string => {
  const name = createHash('sha256').update(`${source}\n${given}`).digest('hex').slice(0, 32)
  return join(dataDir(), 'tokens', name)
}

/** The refresh token that the server gave last. */
export function keptToken(place: TokenPlace): string | undefined {
  try {
    const token = readFileSync(fileOf(place), 'utf8')
    addToken(token)
    return token
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return undefined
    throw error
  }
}

/** Keeps a token for later runs, readable by this user alone. The old one is valid no more, so it is written before use. */
export function keepToken(place: TokenPlace, token: string): void {
  const path = fileOf(place)
  replaceFile(path, token, { durable: true })
  removeDrafts(dirname(path))
}
