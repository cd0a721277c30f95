export default {
  title: 'Chats',
  root: 'src',
  search: false,
  // Node 24 reads TypeScript by itself.
  interpreters: { '.ts': ['node'] },
}
