/** A part of an address with its percent codes decoded; as it is when one of them is invalid, as in a password that holds `%`. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
