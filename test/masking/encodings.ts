/** How servers write a secret back: a text, and the characters before and after the secret that belong to its encoding. */
export interface Encoding {
  name: string
  encode(text: string): string
}

const hexOf = (code: number, digits: number, upper: boolean): string => {
  const hex = code.toString(16).padStart(digits, '0')
  return upper ? hex.toUpperCase() : hex
}
const units = (text: string, encode: (code: number) => string): string =>
  text
    .split('')
    .map((unit) => encode(unit.charCodeAt(0)))
    .join('')
const percent = (text: string, upper: boolean): string =>
  [...Buffer.from(text)].map((byte) => `%${hexOf(byte, 2, upper)}`).join('')
const lowerCodes = (text: string): string => text.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
const json = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Spellings that may follow one another: a form in JSON in JSON. */
export const escapes: readonly Encoding[] = [
  { name: 'as it is', encode: (text) => text },
  { name: 'JSON', encode: json },
  { name: 'JSON with \\/', encode: (text) => json(text).replaceAll('/', '\\/') },
  {
    name: 'JSON of PHP',
    encode: (text) => json(text).replaceAll(/[^ -~]/g, (one) => units(one, (c) => `\\u${hexOf(c, 4, false)}`)),
  },
  {
    name: 'JSON of .NET',
    encode: (text) => json(text).replaceAll(/[<>&'+]/g, (one) => units(one, (c) => `\\u${hexOf(c, 4, true)}`)),
  },
  { name: '\\uXXXX', encode: (text) => units(text, (code) => `\\u${hexOf(code, 4, true)}`) },
  { name: '\\uxxxx', encode: (text) => units(text, (code) => `\\u${hexOf(code, 4, false)}`) },
  { name: 'percent', encode: encodeURIComponent },
  { name: 'percent in lowercase', encode: (text) => lowerCodes(encodeURIComponent(text)) },
  { name: 'all percent', encode: (text) => percent(text, true) },
  { name: 'all percent in lowercase', encode: (text) => percent(text, false) },
  { name: 'form', encode: (text) => new URLSearchParams([['a', text]]).toString().slice(2) },
  { name: 'form in lowercase', encode: (text) => lowerCodes(new URLSearchParams([['a', text]]).toString().slice(2)) },
  {
    name: 'HTML',
    encode: (text) =>
      text
        .replaceAll('&', '&amp;')
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;')
        .replaceAll('"', '&quot;')
        .replaceAll("'", '&#39;')
        .replaceAll('/', '&#x2F;'),
  },
  { name: 'white space collapsed', encode: (text) => text.replaceAll(/\s+/g, ' ') },
]

const unpadded = (text: string): string => text.replace(/=+$/, '')

/** Encodings of bytes, in which a secret has other text before and after it. */
export const base64: readonly Encoding[] = [
  { name: 'Base64', encode: (text) => Buffer.from(text).toString('base64') },
  { name: 'Base64 without padding', encode: (text) => unpadded(Buffer.from(text).toString('base64')) },
  { name: 'Base64 of URLs', encode: (text) => Buffer.from(text).toString('base64url') },
  {
    name: 'Base64 of URLs with padding',
    encode: (text) => Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_'),
  },
  { name: 'Base64 in a form', encode: (text) => encodeURIComponent(Buffer.from(text).toString('base64')) },
  { name: 'Base64 in JSON', encode: (text) => Buffer.from(text).toString('base64').replaceAll('/', '\\/') },
  { name: 'Base64 in lines', encode: (text) => Buffer.from(text).toString('base64').replaceAll(/.{76}/g, '$&\n') },
]
