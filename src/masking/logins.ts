import type { Units } from './escapes.ts'
import type { Span } from './secret-index.ts'

const [colon, slash, at, question, hash] = [0x3a, 0x2f, 0x40, 0x3f, 0x23]
/** Longer than any user and password; so that a text of nothing but `://` costs no more than its length. */
const longestLogin = 512

/**
 * Adds the spans of the user and password in addresses such as `https://user:password@host`. A user without a password is masked
 * in HTTP addresses, because some APIs expect their key there; in the address of a database it is only a name.
 */
export function findLogins(units: Units, found: Span[]): void {
  const { codes, starts, length } = units
  for (let i = 0; i + 3 < length; i++) {
    if (codes[i] !== colon || codes[i + 1] !== slash || codes[i + 2] !== slash) continue
    const login = loginAt(units, i + 3)
    if (login === undefined || isPlaceholder(units, i + 3, login.end)) continue
    if (login.hasPassword || isHttp(units, i)) found.push([starts[i + 3]!, starts[login.end]!])
  }
}

const placeholder = [...'user:password'].map((letter) => letter.charCodeAt(0))

/** `user:password` is nobody's: messages tell by it how an address is written. */
const isPlaceholder = ({ codes }: Units, from: number, end: number): boolean =>
  end - from === placeholder.length && placeholder.every((code, at) => codes[from + at] === code)

/** Where the host begins, when a login stands before it. A password may hold `/` where it was written as it is. */
function loginAt({ codes, length }: Units, from: number): { end: number; hasPassword: boolean } | undefined {
  const limit = Math.min(length, from + longestLogin)
  let [end, password, isPath] = [-1, -1, false]
  for (let i = from; i < limit && !endsAddress(codes[i]!); i++) {
    const code = codes[i]!
    if (code === at) {
      end = i
      // In a path, the first one ends the password; in an authority, the last one does.
      if (isPath) break
    } else if (code === colon && password < 0 && end < 0 && !isPath) password = i + 1
    else if (code === slash || code === question || code === hash) {
      if (end >= 0 || password < 0 || isPort(codes, password, i)) break
      isPath = true
    }
  }
  return end < 0 ? undefined : { end, hasPassword: password >= 0 && password < end }
}

function isPort(codes: Uint16Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (codes[i]! < 0x30 || codes[i]! > 0x39) return false
  return true
}

/** Blanks, quotes, brackets and control characters. */
const endsAddress = (code: number): boolean =>
  code <= 0x20 || code === 0x22 || code === 0x27 || code === 0x3c || code === 0x3e || code === 0x60

function isHttp({ codes }: Units, end: number): boolean {
  const scheme = String.fromCharCode(...codes.subarray(Math.max(0, end - 5), end)).toLowerCase()
  return scheme.endsWith('http') || scheme === 'https'
}
