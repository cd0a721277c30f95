import type { ErrorRule } from '../error-rules.ts'
import { postgresErrors } from '../postgres/errors.ts'

export const redshiftErrors: readonly ErrorRule[] = [
  {
    when: /S3ServiceException.*(AccessDenied|403)|not authorized to assume IAM Role/is,
    recovery: 'abort',
    fix: 'let the role read the staging bucket (s3:GetObject, s3:ListBucket), and attach it to the cluster',
  },
  {
    when: /S3ServiceException.*(PermanentRedirect|301)/is,
    recovery: 'abort',
    fix: "set the bucket's region: region_name under [destination.redshift.staging.credentials]",
  },
  {
    when: /serializable isolation violation/i,
    recovery: 'retry',
    fix: 'run again: another transaction changed the same tables',
  },
  {
    when: /stl_load_errors|sys_load_error_detail/i,
    recovery: 'skip',
    fix: 'see which value was refused: SELECT * FROM sys_load_error_detail ORDER BY start_time DESC LIMIT 10',
  },
  ...postgresErrors,
]
