// Plain JavaScript on purpose: it has to run on the Node that is too old for the rest.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    [
      `This repository runs on the Node 24 that "npm install" brings; here runs Node ${process.versions.node}.`,
      '  fix: the install script of the package "node" did not run. Allow it, then: npm rebuild',
    ].join('\n'),
  )
  process.exitCode = 1
}
