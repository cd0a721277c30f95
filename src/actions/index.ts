export { Action, action, type ActionOptions, type Send, type SendOptions } from './action.ts'
export { restAction, type RestMessage } from './rest-action.ts'
export { previewRows, sendRows, type SendCounts, type SendEvent, type SendRowsOptions } from './send-rows.ts'
