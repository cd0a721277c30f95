/** Asks a person for a value that does not appear on the screen. */
export function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process
  // Before the question is seen: until then the terminal itself shows what is typed.
  stdin.setRawMode(true)
  stderr.write(question)
  stdin.resume()
  stdin.setEncoding('utf8')
  return new Promise((resolve, reject) => {
    let value = ''
    const end = (): void => {
      stdin.setRawMode(false)
      stdin.pause()
      stdin.removeListener('data', take)
      stderr.write('\n')
    }
    const take = (text: string): void => {
      // Terminals put pasted text between two marks.
      // oxlint-disable-next-line no-control-regex
      for (const symbol of text.replace(/\u001b\[20[01]~/g, '')) {
        if (symbol === '\r' || symbol === '\n') {
          end()
          return resolve(value)
        }
        if (symbol === '\u0003' || symbol === '\u0004') {
          end()
          return reject(new Error('interrupted'))
        }
        if (symbol === '\u007f' || symbol === '\b') value = value.slice(0, -1)
        else if (symbol >= ' ') value += symbol
      }
    }
    stdin.on('data', take)
  })
}
