import { PipelineError } from '../../errors/index.ts'
import type { RestRequest } from './request.ts'
import { refuseSecrets, refuseSecretsInUrl, withholdSecrets } from './withhold-secrets.ts'

/** Where requests of a client may go, and where its credentials and secrets go with them. */
export class RequestTargets {
  private readonly origin: string
  private readonly allowedHosts: readonly string[]
  private readonly secrets: ReadonlySet<string>

  /** `origin` is the API's own; `secrets` grows while values are looked up. */
  constructor(origin: string, allowedHosts: readonly string[], secrets: ReadonlySet<string>) {
    this.origin = origin
    this.allowedHosts = allowedHosts
    this.secrets = secrets
  }

  /** An origin, when it is another than the API's own. */
  foreign(origin: string | undefined): string | undefined {
    return origin === this.origin ? undefined : origin
  }

  /** Whether a request goes to where its author sends it: to the API, or to the full address of an endpoint. */
  isOwn({ url, home }: Pick<RestRequest, 'url' | 'home'>): boolean {
    return url.origin === (home ?? this.origin)
  }

  /** Secrets are for the API's own origin; those of a full address are in its endpoint's `auth`, which comes after this. */
  withhold(request: RestRequest): void {
    if (request.url.origin === this.origin || request.isLogin === true) return
    if (this.isOwn(request)) refuseSecrets(request, this.secrets)
    else withholdSecrets(request, this.secrets)
  }

  /** Only origins that the source names are ever asked: the API's own, an endpoint's full address, and allowed hosts. */
  check(url: URL, { home }: Pick<RestRequest, 'home'>): void {
    if (url.origin === this.origin || url.origin === home) return
    const isAllowed = this.allowedHosts.includes(url.host) && /^https?:$/.test(url.protocol)
    // A redirect may repeat what the address of the request held.
    if (isAllowed) return refuseSecretsInUrl(url, this.secrets)
    throw new PipelineError(`the API led to ${url.protocol}//${url.host}, which is not its own host (${this.origin})`, {
      code: 'LINK_FORBIDDEN',
      fix: `if that host is right, allow it: client.allowedHosts: ['${url.host}']; it gets no credentials`,
    })
  }
}
