export { shareRateBudgets, type SharedBudget } from './http/shared-budget.ts'
export { config, secret } from '../../config/index.ts'
export { RestWriter, type Write } from './writer.ts'
export { RestClient, type RequestContext } from './client.ts'
export { Settings } from './auth/index.ts'
export { configuredList } from './configured-list.ts'
export { restSource } from './rest-source.ts'
export type { CustomPaginator, Page, Paginator } from './paginate/index.ts'
export type { RestRequest, RestResponse } from './request.ts'
export { joinUrl } from './request.ts'
export { inFileSpelling } from './grammar/file-spelling.ts'
export { lintSource, type Finding } from './lint.ts'
export { logInSource } from './log-in-source.ts'
export { keysElsewhere, originsOf, secretsOf } from './secrets-of.ts'
export { isSourceFile, loadSourceFile, parseSourceText, readSourceSpec } from './source-file.ts'
export type {
  AuthSpec,
  ClientSpec,
  EndpointSpec,
  GraphqlSpec,
  PaginatorSpec,
  ParentRows,
  RangeSplit,
  RateLimit,
  ReportSpec,
  ResponseAction,
  RestIncremental,
  RestResourceSpec,
  RestSourceSpec,
} from './spec.ts'
