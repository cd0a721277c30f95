/** Ways to write the same for a shell: words, then whole commands. */

type Random = () => number

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)]!
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const code = (letter: string): number => letter.charCodeAt(0)

const letters: ((letter: string) => string)[] = [
  (letter) => letter,
  (letter) => letter,
  (letter) => `\\${letter}`,
  (letter) => `'${letter}'`,
  (letter) => `"${letter}"`,
  (letter) => `""${letter}`,
  (letter) => `$'\\x${code(letter).toString(16)}'`,
  (letter) => `$'\\${code(letter).toString(8).padStart(3, '0')}'`,
  (letter) => `$'\\u${code(letter).toString(16).padStart(4, '0')}'`,
  (letter) => `\${unset}${letter}`,
  (letter) => `\${unset:-}${letter}`,
  (letter) => `{${letter},${letter}}`,
]
const globs: ((letter: string) => string)[] = [
  () => '?',
  () => '*',
  (letter) => `[${letter}]`,
  () => '[!/]',
  (letter) => `@(${letter})`,
  () => '[[:print:]]',
]

/** A path, some letters of it in another spelling. Dots that begin a name are seen by no glob. */
export function spelled(random: Random, path: string): string {
  const rate = pick(random, [0, 0.1, 0.4])
  const isGlobbing = random() < 0.5
  const text = [...path].map((letter, at) => {
    if (letter === '/')
      return pick(random, ['/', '/', '//', '/./', '/../.sluice/'].slice(0, path.startsWith('.sluice') ? 5 : 4))
    if (random() >= rate) return letter
    const isHidden = letter === '.' && (at === 0 || path[at - 1] === '/')
    return pick(random, isGlobbing && !isHidden ? [...letters, ...globs] : letters)(letter)
  })
  return pick(random, ['', '', './', 'src/../', '"$PWD"/', '$PWD/', '~/../p/']) + text.join('')
}

/** Commands that print what is in a file, written in one of many ways. */
export function reading(random: Random): string {
  const file = pick(random, ['.sluice/secrets.toml', '.dlt/secrets.toml', 'settings/secrets.toml', 'innocent.txt'])
  const [folder, name] = file.includes('/') ? file.split('/') : ['.', file]
  // `ls` in the project lists links by names that tell nothing.
  const entered = folder === '.' ? '.sluice' : folder
  const path = spelled(random, file)
  const half = 1 + Math.floor(random() * (file.length - 2))
  return pick(random, [
    `cat ${path}`,
    `cat<${path}`,
    `cat -- README.md ${path}`,
    `head -c 99 ${path}`,
    `tail -n +1 ${path} | cat`,
    `grep -h hunter ${path}`,
    `sed '' ${path}`,
    `awk 1 ${path}`,
    `cp ${path} /dev/stdout`,
    `x=${path}; cat $x`,
    `x=${file.slice(0, half)}; cat \${x}${file.slice(half)}`,
    `x=${file.slice(0, half)} y=${file.slice(half)}; cat "$x$y"`,
    `cd ${folder}; cat ${spelled(random, name!).replace('~/../p/', '')}`,
    `(cd ${folder} && cat *)`,
    `cd src; cat ../${file.slice(0, -2)}*`,
    `for f in ${path}; do cat $f; done`,
    `for d in ${folder} README.md; do cat $d/${name}; done`,
    `echo ${path} | xargs cat`,
    `xargs cat <<< ${path}`,
    `while read -r l; do echo "$l"; done < ${path}`,
    `echo "$(<${path})"`,
    `find ${folder} -name ${quote(name!.slice(0, 3))}'*' -exec cat {} +`,
    `find ${folder}/ -type f | xargs cat`,
    `grep -r hunter ${pick(random, ['.', './', '$PWD', '', '.sluice', '"$PWD"', '*/ .sluice'])}`,
    `grep -rh hunter . --exclude-dir=${pick(random, ['node_modules', 'dist', 'src'])}`,
    `test -f ${path} && cat $_`,
    `cd ${folder} && cat "$PWD"/${name!.slice(0, 3)}*`,
    `cd ${entered}; ls | xargs cat`,
    `cd ${entered} && cat $(ls)`,
    `du -a ${folder} | cut -f2 | xargs cat`,
    `bash -O dotglob -c 'cat */*'`,
    `node -p ${quote(`require('fs').readFileSync('${file}', 'utf8')`)}`,
  ])
}

export const showing = (random: Random): string => pick(random, dumps)

const dumps = [
  'env',
  'printenv',
  'export -p',
  'declare -p',
  'set',
  'export',
  'env -u X',
  'env -0 | tr "\\0" "\\n"',
  '/usr/bin/env',
  "e'n'v",
  '\\env',
  'pr""intenv',
  'node -p process.env',
  'cat /proc/self/environ',
  'cat /proc/self/./env*on',
  'tr "\\0" " " </proc/$$/environ',
  "awk 'BEGIN { for (k in ENVIRON) print ENVIRON[k] }'",
  'echo $SOURCES__SHOP__TOKEN',
  'echo "${SOURCES__SHOP__TOKEN#x}"',
  'printenv SOURCES__SHOP__TOKEN',
]

/** The same in a shell's other clothes; what it prints stays the same. */
export function wrapped(random: Random, command: string): string {
  let text = command
  for (let left = Math.floor(random() * 3); left > 0; left--) {
    text = pick<(inner: string) => string>(random, [
      (inner) => `(${inner})`,
      (inner) => `{ ${inner}; }`,
      (inner) => `true && ${inner}`,
      (inner) => `false || ${inner}`,
      (inner) => `cd . ; ${inner}`,
      (inner) => `${inner} 2>/dev/null`,
      (inner) => `(${inner}) | cat`,
      (inner) => `if true; then ${inner}; fi`,
      (inner) => `while true; do ${inner}; break; done`,
      (inner) => `echo "$(${inner})"`,
      (inner) => `eval ${quote(inner)}`,
      (inner) => `bash -O extglob -c ${quote(inner)}`,
      (inner) => `timeout 20 bash -c ${quote(inner)}`,
      (inner) => `f() { ${inner}; }; f`,
      (inner) => `cat <(${inner})`,
      (inner) => `: # a comment\n${inner}`,
      (inner) => `bash <<'END'\n${inner}\nEND`,
    ])(text)
  }
  return text
}

/** An ordinary command among others. */
export const among = (random: Random, command: string): string =>
  pick<(inner: string) => string>(random, [
    (inner) => inner,
    (inner) => `cd src && cd .. && ${inner}`,
    (inner) => `${inner}\necho done`,
    (inner) => `echo first; ${inner}`,
    (inner) => `${inner} 2>/dev/null`,
    (inner) => `bash -c ${quote(inner)}`,
    (inner) => `true && { ${inner}\n}`,
    (inner) => `git status\n\n# then\n${inner}`,
  ])(command)
