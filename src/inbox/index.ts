export { inbox, inboxSource, type InboxOptions } from './inbox-source.ts'
export { inboxMark } from './inbox-store.ts'
export { serveInbox, type Hook, type InboxServer, type InboxServerOptions } from './inbox-server.ts'
