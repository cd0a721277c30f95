const secrets = new Set<string>()

/** Remembers a value that came from a secret, so that `redact` hides it wherever it turns up. */
export function addSecret(value: string): void {
  // Short values would blank out ordinary words; a real key is never this short.
  if (value.length < 4) return
  secrets.add(value)
  secrets.add(encodeURIComponent(value))
  secrets.add(Buffer.from(value).toString('base64'))
}

/** The same text with every remembered secret replaced by `***`, longest first. */
export function redact(text: string): string {
  let out = text
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (out.includes(secret)) out = out.replaceAll(secret, '***')
  }
  return out
}
