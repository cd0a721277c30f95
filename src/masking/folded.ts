import { newUnits, type Units } from './escapes.ts'

/** What a code unit is compared as; 0 for those that are dropped. */
export const foldedCode = Uint16Array.from({ length: 0x10000 }, (_, code) => code || 0xffff)
for (const letter of ' \t\n\r\f\v\u00a0+-') foldedCode[letter.charCodeAt(0)] = 0
foldedCode['_'.charCodeAt(0)] = '/'.charCodeAt(0)
/** For secrets of which folding would leave too little: every code unit as it is. */
export const exactCode = Uint16Array.from({ length: 0x10000 }, (_, code) => code || 0xffff)

/**
 * Units without what encoders write differently: form encoding turns spaces into `+`, Base64 comes in two alphabets and in
 * lines, and messages collapse white space. What is left is compared.
 */
export function folded(from: Units): Units {
  const to = newUnits(from.length, from.end)
  let length = 0
  for (let at = 0; at < from.length; at++) {
    const code = foldedCode[from.codes[at]!]!
    if (code === 0) continue
    to.codes[length] = code
    to.starts[length] = from.starts[at]!
    to.ends[length] = from.ends[at]!
    length++
  }
  to.length = length
  return to
}
