import type { PaginatorSpec } from '../../src/sources/rest/index.ts'

/** A response of an API, as its documentation prints it, shortened to what matters for paging. */
export interface CatalogPage {
  body: unknown
  headers?: Record<string, string>
  status?: number
}

/** An API with two pages of rows, 1 to 3 and 4 to 5, paged in its way. `{base}` in texts is the address of the server. */
export interface CatalogApi {
  api: string
  docs: string
  /** Of the first request. @default 'list' */
  path?: string
  /** Where the rows are, for those that detection of rows does not find. */
  rowsAt?: string
  method?: 'POST'
  json?: Record<string, unknown>
  pages: CatalogPage[]
  /** The requests after the first: a query, a path, `{json}` as the body or a `Header: value`. */
  asks: string[]
  /** What the first page is recognized as. */
  paginator?: PaginatorSpec
  /** Instead: the message of a refusal. */
  refused?: RegExp
}

const row = (id: number): { id: number; name: string } => ({ id, name: `n${id}` })
export const first = [row(1), row(2), row(3)]
export const second = [row(4), row(5)]

export const catalog: CatalogApi[] = [
  // Links in a header.
  ...(
    [
      [
        'GitHub',
        'https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api',
        '?per_page=3&page=2',
      ],
      [
        'GitLab by keyset',
        'https://docs.gitlab.com/api/rest/#keyset-based-pagination',
        '?pagination=keyset&id_after=3',
      ],
      ['Okta', 'https://developer.okta.com/docs/reference/core-okta-api/#link-header', '?after=00u3&limit=3'],
      ['Shopify REST', 'https://shopify.dev/docs/api/usage/pagination-rest', '?limit=3&page_info=eyJkaX'],
      ['Netlify', 'https://docs.netlify.com/api/get-started/#pagination', '?page=2&per_page=3'],
      ['Greenhouse', 'https://developers.greenhouse.io/harvest.html#pagination', '?page=2&per_page=3'],
      ['Freshdesk', 'https://developers.freshdesk.com/api/#pagination', '?page=2'],
      [
        'New Relic REST',
        'https://docs.newrelic.com/docs/apis/rest-api-v2/basic-functions/pagination-api-output/',
        '?page=2',
      ],
      ['WordPress', 'https://developer.wordpress.org/rest-api/using-the-rest-api/pagination/', '?page=2'],
      ['WooCommerce', 'https://woocommerce.github.io/woocommerce-rest-api-docs/#pagination', '?page=2'],
      ['Gitea', 'https://docs.gitea.com/development/api-usage#pagination', '?limit=3&page=2'],
      ['Magento-like JSON server', 'https://github.com/typicode/json-server/tree/v0#paginate', '?_page=2&_limit=3'],
    ] as const
  ).map(([api, docs, query]): CatalogApi => ({
    api,
    docs,
    pages: [
      { body: first, headers: { link: `<{base}/list${query}>; rel="next", <{base}/list?page=9>; rel="last"` } },
      { body: second, headers: { link: '<{base}/list>; rel="first"' } },
    ],
    asks: [query],
    paginator: { type: 'header_link' },
  })),
  {
    api: 'Sentry',
    docs: 'https://docs.sentry.io/api/pagination/',
    pages: [
      {
        body: first,
        headers: {
          link: '<{base}/list?&cursor=0:0:1>; rel="previous"; results="false"; cursor="0:0:1", <{base}/list?&cursor=0:3:0>; rel="next"; results="true"; cursor="0:3:0"',
        },
      },
      {
        body: second,
        headers: {
          link: '<{base}/list?&cursor=0:0:1>; rel="previous"; results="true"; cursor="0:0:1", <{base}/list?&cursor=0:6:0>; rel="next"; results="false"; cursor="0:6:0"',
        },
      },
    ],
    asks: ['?&cursor=0:3:0'],
    paginator: { type: 'header_link' },
  },
  {
    api: 'GitLab without links',
    docs: 'https://docs.gitlab.com/api/rest/#other-pagination-headers',
    pages: [
      {
        body: first,
        headers: { 'x-page': '1', 'x-next-page': '2', 'x-per-page': '3', 'x-total': '5', 'x-total-pages': '2' },
      },
      {
        body: second,
        headers: { 'x-page': '2', 'x-next-page': '', 'x-per-page': '3', 'x-total': '5', 'x-total-pages': '2' },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: null, totalHeader: 'x-total-pages' },
  },
  {
    api: 'GitLab beyond 10,000 rows, where totals are left out',
    docs: 'https://docs.gitlab.com/api/rest/#other-pagination-headers',
    pages: [
      { body: first, headers: { 'x-page': '1', 'x-next-page': '2', 'x-per-page': '3' } },
      { body: second, headers: { 'x-page': '2', 'x-next-page': '', 'x-per-page': '3' } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'header_cursor', cursorKey: 'x-next-page', cursorParam: 'page' },
  },
  {
    api: 'flask-smorest',
    docs: 'https://flask-smorest.readthedocs.io/en/latest/pagination.html',
    pages: [
      {
        body: first,
        headers: {
          'x-pagination': '{"total": 5, "total_pages": 2, "first_page": 1, "last_page": 2, "page": 1, "next_page": 2}',
        },
      },
      {
        body: second,
        headers: {
          'x-pagination':
            '{"total": 5, "total_pages": 2, "first_page": 1, "last_page": 2, "page": 2, "previous_page": 1}',
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: 'total_pages', totalHeader: 'x-pagination' },
  },
  {
    api: 'ASP.NET in the manner of its tutorials',
    docs: 'https://learn.microsoft.com/aspnet/core/data/ef-rp/sort-filter-page',
    pages: [
      {
        body: first,
        headers: {
          'x-pagination':
            '{"TotalCount":5,"PageSize":3,"CurrentPage":1,"TotalPages":2,"HasNext":true,"HasPrevious":false}',
        },
      },
      {
        body: second,
        headers: {
          'x-pagination':
            '{"TotalCount":5,"PageSize":3,"CurrentPage":2,"TotalPages":2,"HasNext":false,"HasPrevious":true}',
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: 'TotalPages', totalHeader: 'x-pagination' },
  },
  {
    api: 'Heroku',
    docs: 'https://devcenter.heroku.com/articles/platform-api-reference#ranges',
    pages: [
      {
        body: first,
        status: 206,
        headers: { 'accept-ranges': 'id, name', 'content-range': 'id 1..3', 'next-range': ']3..; max=3' },
      },
      { body: second, headers: { 'accept-ranges': 'id, name', 'content-range': 'id 4..5' } },
    ],
    asks: ['range: ]3..; max=3'],
    paginator: { type: 'header_cursor', cursorKey: 'next-range', cursorHeader: 'Range' },
  },
  {
    api: 'PostgREST with Prefer: count=exact',
    docs: 'https://docs.postgrest.org/en/latest/references/api/pagination_count.html',
    pages: [
      { body: first, status: 206, headers: { 'content-range': '0-2/5' } },
      { body: second, status: 206, headers: { 'content-range': '3-4/5' } },
    ],
    asks: ['?offset=3&limit=3'],
    paginator: {
      type: 'offset',
      offsetParam: 'offset',
      limitParam: 'limit',
      limit: 3,
      totalPath: null,
      totalHeader: 'content-range',
    },
  },
  {
    api: 'Enigma',
    docs: 'https://docs.enigma.com/public/public_v20_api_pagination.html',
    pages: [{ body: first, status: 206, headers: { 'content-range': 'resources 0-2/5' } }],
    asks: [],
    refused: /"content-range" is "resources 0-2\/5"/,
  },
  {
    api: 'Azure DevOps',
    docs: 'https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits',
    pages: [
      { body: { count: 3, value: first }, headers: { 'x-ms-continuationtoken': 'tok3' } },
      { body: { count: 2, value: second } },
    ],
    asks: ['?continuationToken=tok3'],
    paginator: { type: 'header_cursor', cursorKey: 'x-ms-continuationtoken', cursorParam: 'continuationToken' },
  },
  {
    api: 'Azure Cosmos DB',
    docs: 'https://learn.microsoft.com/rest/api/cosmos-db/common-cosmosdb-rest-response-headers',
    pages: [
      { body: { _rid: 'r', _count: 3, Documents: first }, headers: { 'x-ms-continuation': '-RID:r#RT:1' } },
      { body: { _rid: 'r', _count: 2, Documents: second } },
    ],
    asks: ['x-ms-continuation: -RID:r#RT:1'],
    paginator: { type: 'header_cursor', cursorKey: 'x-ms-continuation', cursorHeader: 'x-ms-continuation' },
  },
  {
    api: 'GetResponse',
    docs: 'https://apidocs.getresponse.com/v3',
    pages: [
      { body: first, headers: { totalcount: '5', totalpages: '2', currentpage: '1' } },
      { body: second, headers: { totalcount: '5', totalpages: '2', currentpage: '2' } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: null, totalHeader: 'totalpages' },
  },
  {
    api: 'React Admin simple REST',
    docs: 'https://github.com/marmelab/react-admin/tree/master/packages/ra-data-simple-rest',
    pages: [{ body: first, headers: { 'content-range': 'posts 0-2/5' } }],
    asks: [],
    refused: /"content-range" is "posts 0-2\/5"/,
  },
  {
    api: 'a total in the headers and nothing else',
    docs: 'https://github.com/typicode/json-server/tree/v0#slice',
    pages: [{ body: first, headers: { 'x-total-count': '5' } }],
    asks: [],
    refused: /"x-total-count" is 5/,
  },
  {
    api: 'a flag in the headers and nothing else',
    docs: 'https://httpwg.org/specs/rfc9110.html#extending.field.names',
    pages: [{ body: first, headers: { 'x-has-more': 'true' } }],
    asks: [],
    refused: /"x-has-more" is "true"/,
  },
  // Links in the body.
  {
    api: 'Zendesk by offset',
    docs: 'https://developer.zendesk.com/api-reference/introduction/pagination/#using-offset-pagination',
    pages: [
      { body: { users: first, count: 5, next_page: '{base}/list?page=2', previous_page: null } },
      { body: { users: second, count: 5, next_page: null, previous_page: '{base}/list' } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'next_page' },
  },
  {
    api: 'Zendesk by cursor',
    docs: 'https://developer.zendesk.com/api-reference/introduction/pagination/#using-cursor-pagination',
    pages: [
      {
        body: {
          tickets: first,
          meta: { has_more: true, after_cursor: 'xx', before_cursor: 'yy' },
          links: { next: '{base}/list?page[size]=3&page[after]=xx', prev: null },
        },
      },
      {
        body: {
          tickets: second,
          meta: { has_more: false, after_cursor: 'zz', before_cursor: 'yy' },
          links: { next: null, prev: '{base}/list' },
        },
      },
    ],
    asks: ['?page[size]=3&page[after]=xx'],
    paginator: { type: 'json_link', nextUrlPath: 'links.next', stopWhen: 'body.meta.has_more == false' },
  },
  {
    api: 'HubSpot',
    docs: 'https://developers.hubspot.com/docs/api/usage-details',
    pages: [
      { body: { results: first, paging: { next: { after: 'NTI1', link: '?after=NTI1' } } } },
      { body: { results: second } },
    ],
    asks: ['?after=NTI1'],
    paginator: { type: 'json_link', nextUrlPath: 'paging.next.link' },
  },
  {
    api: 'HubSpot search',
    docs: 'https://developers.hubspot.com/docs/api/crm/search',
    method: 'POST',
    json: { limit: 3, filterGroups: [] },
    pages: [
      { body: { total: 5, results: first, paging: { next: { after: '3' } } } },
      { body: { total: 5, results: second } },
    ],
    asks: ['{"limit":3,"filterGroups":[],"after":"3"}'],
    paginator: { type: 'cursor', cursorPath: 'paging.next.after', cursorBodyPath: 'after' },
  },
  {
    api: 'Salesforce',
    docs: 'https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_query.htm',
    pages: [
      { body: { totalSize: 5, done: false, nextRecordsUrl: '/services/data/v60.0/query/01g-3', records: first } },
      { body: { totalSize: 5, done: true, records: second } },
    ],
    asks: ['/services/data/v60.0/query/01g-3'],
    paginator: { type: 'json_link', nextUrlPath: 'nextRecordsUrl' },
  },
  {
    api: 'Asana',
    docs: 'https://developers.asana.com/docs/pagination',
    pages: [
      {
        body: {
          data: first,
          next_page: { offset: 'eyJ0', path: '/tasks?limit=3&offset=eyJ0', uri: '{base}/list?limit=3&offset=eyJ0' },
        },
      },
      { body: { data: second, next_page: null } },
    ],
    asks: ['?limit=3&offset=eyJ0'],
    paginator: { type: 'json_link', nextUrlPath: 'next_page.uri' },
  },
  {
    api: 'Microsoft Graph',
    docs: 'https://learn.microsoft.com/graph/paging',
    pages: [
      { body: { '@odata.context': 'c', '@odata.nextLink': '{base}/list?$skiptoken=RF', value: first } },
      { body: { '@odata.context': 'c', value: second } },
    ],
    asks: ['?$skiptoken=RF'],
    paginator: { type: 'json_link', nextUrlPath: "['@odata.nextLink']" },
  },
  {
    api: 'OData 3',
    docs: 'https://www.odata.org/documentation/odata-version-3-0/json-verbose-format/',
    pages: [
      { body: { d: { results: first, __count: '5', __next: '{base}/list?$skiptoken=3' } } },
      { body: { d: { results: second, __count: '5' } } },
    ],
    asks: ['?$skiptoken=3'],
    paginator: { type: 'json_link', nextUrlPath: 'd.__next' },
  },
  {
    api: 'Bitbucket',
    docs: 'https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination',
    pages: [
      { body: { size: 5, page: 1, pagelen: 3, next: '{base}/list?page=2', values: first } },
      { body: { size: 5, page: 2, pagelen: 3, previous: '{base}/list?page=1', values: second } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'next' },
  },
  {
    api: 'Confluence v2',
    docs: 'https://developer.atlassian.com/cloud/confluence/rest/v2/intro/#using-the-rest-api',
    pages: [
      { body: { results: first, _links: { next: '/wiki/api/v2/pages?limit=3&cursor=ey', base: '{base}/wiki' } } },
      { body: { results: second, _links: { base: '{base}/wiki' } } },
    ],
    asks: ['/wiki/api/v2/pages?limit=3&cursor=ey'],
    paginator: { type: 'json_link', nextUrlPath: '_links.next' },
  },
  {
    api: 'Twilio 2010',
    docs: 'https://www.twilio.com/docs/usage/twilios-response#pagination',
    pages: [
      {
        body: {
          page: 0,
          page_size: 3,
          start: 0,
          end: 2,
          first_page_uri: '/list?Page=0',
          next_page_uri: '/list?Page=1&PageToken=PA3',
          previous_page_uri: null,
          uri: '/list?Page=0',
          messages: first,
        },
      },
      {
        body: {
          page: 1,
          page_size: 3,
          start: 3,
          end: 4,
          first_page_uri: '/list?Page=0',
          next_page_uri: null,
          previous_page_uri: '/list?Page=0',
          uri: '/list?Page=1',
          messages: second,
        },
      },
    ],
    asks: ['?Page=1&PageToken=PA3'],
    paginator: { type: 'json_link', nextUrlPath: 'next_page_uri' },
  },
  {
    api: 'Twilio of today',
    docs: 'https://www.twilio.com/docs/usage/twilios-response#pagination',
    pages: [
      {
        body: {
          services: first,
          meta: {
            first_page_url: '{base}/list?Page=0',
            key: 'services',
            next_page_url: '{base}/list?Page=1&PageToken=PA3',
            page: 0,
            page_size: 3,
            previous_page_url: null,
            url: '{base}/list',
          },
        },
      },
      {
        body: {
          services: second,
          meta: {
            first_page_url: '{base}/list?Page=0',
            key: 'services',
            next_page_url: null,
            page: 1,
            page_size: 3,
            previous_page_url: '{base}/list',
            url: '{base}/list',
          },
        },
      },
    ],
    asks: ['?Page=1&PageToken=PA3'],
    paginator: { type: 'json_link', nextUrlPath: 'meta.next_page_url' },
  },
  {
    api: 'Calendly',
    docs: 'https://developer.calendly.com/api-docs/e7d77e7b1f0cb-pagination',
    pages: [
      {
        body: {
          collection: first,
          pagination: {
            count: 3,
            next_page: '{base}/list?count=3&page_token=sNj',
            next_page_token: 'sNj',
            previous_page: null,
            previous_page_token: null,
          },
        },
      },
      {
        body: {
          collection: second,
          pagination: {
            count: 2,
            next_page: null,
            next_page_token: null,
            previous_page: '{base}/list',
            previous_page_token: 'x',
          },
        },
      },
    ],
    asks: ['?count=3&page_token=sNj'],
    paginator: { type: 'json_link', nextUrlPath: 'pagination.next_page' },
  },
  {
    api: 'Paddle',
    docs: 'https://developer.paddle.com/api-reference/about/pagination',
    pages: [
      {
        body: {
          data: first,
          meta: {
            request_id: 'r1',
            pagination: { per_page: 3, next: '{base}/list?after=ctm_3', has_more: true, estimated_total: 5 },
          },
        },
      },
      {
        body: {
          data: second,
          meta: {
            request_id: 'r2',
            pagination: { per_page: 3, next: '{base}/list?after=ctm_5', has_more: false, estimated_total: 5 },
          },
        },
      },
    ],
    asks: ['?after=ctm_3'],
    paginator: {
      type: 'json_link',
      nextUrlPath: 'meta.pagination.next',
      stopWhen: 'body.meta.pagination.has_more == false',
    },
  },
  {
    api: 'Recurly',
    docs: 'https://recurly.com/developers/api/v2021-02-25/index.html#section/Getting-Started/Pagination',
    pages: [
      { body: { object: 'list', has_more: true, next: '/list?cursor=abc', data: first } },
      { body: { object: 'list', has_more: false, next: null, data: second } },
    ],
    asks: ['?cursor=abc'],
    paginator: { type: 'json_link', nextUrlPath: 'next', stopWhen: 'body.has_more == false' },
  },
  {
    api: 'Front',
    docs: 'https://dev.frontapp.com/docs/pagination',
    pages: [
      {
        body: {
          _pagination: { next: '{base}/list?limit=3&page_token=c' },
          _links: { self: '{base}/list' },
          _results: first,
        },
      },
      { body: { _pagination: { next: null }, _links: { self: '{base}/list' }, _results: second } },
    ],
    asks: ['?limit=3&page_token=c'],
    paginator: { type: 'json_link', nextUrlPath: '_pagination.next' },
  },
  {
    api: 'Klaviyo',
    docs: 'https://developers.klaviyo.com/en/reference/api_overview#pagination',
    pages: [
      { body: { data: first, links: { self: '{base}/list', next: '{base}/list?page%5Bcursor%5D=bmV4', prev: null } } },
      { body: { data: second, links: { self: '{base}/list', next: null, prev: '{base}/list' } } },
    ],
    asks: ['?page%5Bcursor%5D=bmV4'],
    paginator: { type: 'json_link', nextUrlPath: 'links.next' },
  },
  {
    api: 'DigitalOcean',
    docs: 'https://docs.digitalocean.com/reference/api/digitalocean/#section/Introduction/Links-and-Pagination',
    pages: [
      {
        body: {
          droplets: first,
          links: { pages: { last: '{base}/list?page=2', next: '{base}/list?page=2' } },
          meta: { total: 5 },
        },
      },
      {
        body: {
          droplets: second,
          links: { pages: { first: '{base}/list?page=1', prev: '{base}/list?page=1' } },
          meta: { total: 5 },
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'links.pages.next' },
  },
  {
    api: 'Spotify',
    docs: 'https://developer.spotify.com/documentation/web-api/concepts/api-calls',
    pages: [
      {
        body: {
          href: '{base}/list?offset=0&limit=3',
          items: first,
          limit: 3,
          next: '{base}/list?offset=3&limit=3',
          offset: 0,
          previous: null,
          total: 5,
        },
      },
      {
        body: {
          href: '{base}/list?offset=3&limit=3',
          items: second,
          limit: 3,
          next: null,
          offset: 3,
          previous: '{base}/list',
          total: 5,
        },
      },
    ],
    asks: ['?offset=3&limit=3'],
    paginator: { type: 'json_link', nextUrlPath: 'next' },
  },
  {
    api: 'Facebook Graph',
    docs: 'https://developers.facebook.com/docs/graph-api/results',
    pages: [
      { body: { data: first, paging: { cursors: { after: 'MTAx', before: 'NDMy' }, next: '{base}/list?after=MTAx' } } },
      {
        body: {
          data: second,
          paging: { cursors: { after: 'MTAz', before: 'MTAy' }, previous: '{base}/list?before=MTAy' },
        },
      },
    ],
    asks: ['?after=MTAx'],
    paginator: { type: 'json_link', nextUrlPath: 'paging.next' },
  },
  {
    api: 'SendGrid',
    docs: 'https://www.twilio.com/docs/sendgrid/api-reference/lists/get-all-lists',
    pages: [
      { body: { result: first, _metadata: { next: '{base}/list?page_token=t', self: '{base}/list', count: 5 } } },
      { body: { result: second, _metadata: { prev: '{base}/list', self: '{base}/list?page_token=t', count: 5 } } },
    ],
    asks: ['?page_token=t'],
    paginator: { type: 'json_link', nextUrlPath: '_metadata.next' },
  },
  {
    api: 'Discourse',
    docs: 'https://docs.discourse.org/#tag/Topics/operation/listLatestTopics',
    rowsAt: 'topic_list.topics',
    pages: [
      {
        body: {
          users: [],
          topic_list: { can_create_topic: true, per_page: 3, more_topics_url: '/list?page=1', topics: first },
        },
      },
      { body: { users: [], topic_list: { can_create_topic: true, per_page: 3, topics: second } } },
    ],
    asks: ['?page=1'],
    paginator: { type: 'json_link', nextUrlPath: 'topic_list.more_topics_url' },
  },
  {
    api: 'Django REST framework, by page',
    docs: 'https://www.django-rest-framework.org/api-guide/pagination/#pagenumberpagination',
    pages: [
      { body: { count: 5, next: '{base}/list?page=2', previous: null, results: first } },
      { body: { count: 5, next: null, previous: '{base}/list', results: second } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'next' },
  },
  {
    api: 'Django REST framework, by cursor',
    docs: 'https://www.django-rest-framework.org/api-guide/pagination/#cursorpagination',
    pages: [
      { body: { next: '{base}/list?cursor=cD0z', previous: null, results: first } },
      { body: { next: null, previous: '{base}/list?cursor=cj0x', results: second } },
    ],
    asks: ['?cursor=cD0z'],
    paginator: { type: 'json_link', nextUrlPath: 'next' },
  },
  {
    api: 'Laravel resources',
    docs: 'https://laravel.com/docs/eloquent-resources#pagination',
    pages: [
      {
        body: {
          data: first,
          links: { first: '{base}/list?page=1', last: '{base}/list?page=2', prev: null, next: '{base}/list?page=2' },
          meta: { current_page: 1, from: 1, last_page: 2, path: '{base}/list', per_page: 3, to: 3, total: 5 },
        },
      },
      {
        body: {
          data: second,
          links: { first: '{base}/list?page=1', last: '{base}/list?page=2', prev: '{base}/list?page=1', next: null },
          meta: { current_page: 2, from: 4, last_page: 2, path: '{base}/list', per_page: 3, to: 5, total: 5 },
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'links.next' },
  },
  {
    api: 'Laravel paginator',
    docs: 'https://laravel.com/docs/pagination#converting-results-to-json',
    pages: [
      {
        body: {
          total: 5,
          per_page: 3,
          current_page: 1,
          last_page: 2,
          first_page_url: '{base}/list?page=1',
          last_page_url: '{base}/list?page=2',
          next_page_url: '{base}/list?page=2',
          prev_page_url: null,
          path: '{base}/list',
          from: 1,
          to: 3,
          data: first,
        },
      },
      {
        body: {
          total: 5,
          per_page: 3,
          current_page: 2,
          last_page: 2,
          first_page_url: '{base}/list?page=1',
          last_page_url: '{base}/list?page=2',
          next_page_url: null,
          prev_page_url: '{base}/list?page=1',
          path: '{base}/list',
          from: 4,
          to: 5,
          data: second,
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'next_page_url' },
  },
  {
    api: 'JSON:API',
    docs: 'https://jsonapi.org/format/#fetching-pagination',
    pages: [
      {
        body: {
          meta: { totalPages: 2 },
          data: first,
          links: {
            self: '{base}/list',
            first: '{base}/list',
            next: '{base}/list?page[number]=2',
            last: '{base}/list?page[number]=2',
          },
        },
      },
      {
        body: {
          meta: { totalPages: 2 },
          data: second,
          links: {
            self: '{base}/list?page[number]=2',
            first: '{base}/list',
            prev: '{base}/list',
            next: null,
            last: '{base}/list?page[number]=2',
          },
        },
      },
    ],
    asks: ['?page[number]=2'],
    paginator: { type: 'json_link', nextUrlPath: 'links.next' },
  },
  {
    api: 'HAL',
    docs: 'https://datatracker.ietf.org/doc/html/draft-kelly-json-hal',
    pages: [
      {
        body: {
          _links: { self: { href: '/list' }, next: { href: '/list?page=2' } },
          currentlyProcessing: 3,
          shippedToday: 5,
          _embedded: { orders: first },
        },
      },
      {
        body: {
          _links: { self: { href: '/list?page=2' }, prev: { href: '/list' } },
          currentlyProcessing: 3,
          shippedToday: 5,
          _embedded: { orders: second },
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: '_links.next.href' },
  },
  {
    api: 'Hydra',
    docs: 'https://www.hydra-cg.com/spec/latest/core/#collections',
    rowsAt: "['hydra:member']",
    pages: [
      {
        body: {
          'hydra:member': first,
          'hydra:totalItems': 5,
          'hydra:view': { '@id': '/list?page=1', 'hydra:first': '/list?page=1', 'hydra:next': '/list?page=2' },
        },
      },
      {
        body: {
          'hydra:member': second,
          'hydra:totalItems': 5,
          'hydra:view': { '@id': '/list?page=2', 'hydra:first': '/list?page=1', 'hydra:previous': '/list?page=1' },
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: "['hydra:view']['hydra:next']" },
  },
  {
    api: 'PayPal',
    docs: 'https://developer.paypal.com/api/rest/responses/#hateoas-links',
    rowsAt: 'plans',
    pages: [
      {
        body: {
          plans: first,
          links: [
            { href: '{base}/list', rel: 'self', method: 'GET' },
            { href: '{base}/list?page=2', rel: 'next', method: 'GET' },
          ],
        },
      },
      { body: { plans: second, links: [{ href: '{base}/list?page=2', rel: 'self', method: 'GET' }] } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'links' },
  },
  {
    api: 'FHIR',
    docs: 'https://hl7.org/fhir/http.html#paging',
    pages: [
      {
        body: {
          resourceType: 'Bundle',
          type: 'searchset',
          total: 5,
          link: [
            { relation: 'self', url: '{base}/list' },
            { relation: 'next', url: '{base}/list?page=2' },
          ],
          entry: first,
        },
      },
      {
        body: {
          resourceType: 'Bundle',
          type: 'searchset',
          total: 5,
          link: [{ relation: 'self', url: '{base}/list?page=2' }],
          entry: second,
        },
      },
    ],
    rowsAt: 'entry',
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'link' },
  },
  {
    api: 'OpenStack',
    docs: 'https://docs.openstack.org/api-guide/compute/paginated_collections.html',
    rowsAt: 'servers',
    pages: [
      { body: { servers: first, servers_links: [{ href: '{base}/list?limit=3&marker=3', rel: 'next' }] } },
      { body: { servers: second } },
    ],
    asks: ['?limit=3&marker=3'],
    paginator: { type: 'json_link', nextUrlPath: 'servers_links' },
  },
  {
    api: 'IBM Cloud',
    docs: 'https://cloud.ibm.com/docs/api-handbook?topic=api-handbook-pagination',
    pages: [
      {
        body: {
          limit: 3,
          first: { href: '{base}/list?limit=3' },
          next: { href: '{base}/list?start=r3&limit=3' },
          total_count: 5,
          vpcs: first,
        },
      },
      { body: { limit: 3, first: { href: '{base}/list?limit=3' }, total_count: 5, vpcs: second } },
    ],
    asks: ['?start=r3&limit=3'],
    paginator: { type: 'json_link', nextUrlPath: 'next.href' },
  },
  {
    api: 'Harvest',
    docs: 'https://help.getharvest.com/api-v2/introduction/overview/pagination/',
    pages: [
      {
        body: {
          invoices: first,
          per_page: 3,
          total_pages: 2,
          total_entries: 5,
          next_page: 2,
          previous_page: null,
          page: 1,
          links: {
            first: '{base}/list?page=1',
            next: '{base}/list?page=2',
            previous: null,
            last: '{base}/list?page=2',
          },
        },
      },
      {
        body: {
          invoices: second,
          per_page: 3,
          total_pages: 2,
          total_entries: 5,
          next_page: null,
          previous_page: 1,
          page: 2,
          links: {
            first: '{base}/list?page=1',
            next: null,
            previous: '{base}/list?page=1',
            last: '{base}/list?page=2',
          },
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'json_link', nextUrlPath: 'links.next' },
  },
  // Cursors in the body.
  {
    api: 'Stripe',
    docs: 'https://docs.stripe.com/api/pagination',
    pages: [
      { body: { object: 'list', url: '/v1/charges', has_more: true, data: first } },
      { body: { object: 'list', url: '/v1/charges', has_more: false, data: second } },
    ],
    asks: ['?starting_after=3'],
    paginator: { type: 'cursor', cursorPath: 'data[-1].id', cursorParam: 'starting_after', hasMorePath: 'has_more' },
  },
  {
    api: 'OpenAI',
    docs: 'https://platform.openai.com/docs/api-reference/files/list',
    pages: [
      { body: { object: 'list', data: first, first_id: 'f1', last_id: 'f3', has_more: true } },
      { body: { object: 'list', data: second, first_id: 'f4', last_id: 'f5', has_more: false } },
    ],
    asks: ['?after=f3'],
    paginator: { type: 'cursor', cursorPath: 'last_id', cursorParam: 'after', hasMorePath: 'has_more' },
  },
  {
    api: 'Anthropic',
    docs: 'https://docs.anthropic.com/en/api/models-list',
    pages: [
      { body: { data: first, first_id: 'm1', last_id: 'm3', has_more: true } },
      { body: { data: second, first_id: 'm4', last_id: 'm5', has_more: false } },
    ],
    asks: ['?after_id=m3'],
    paginator: { type: 'cursor', cursorPath: 'last_id', cursorParam: 'after_id', hasMorePath: 'has_more' },
  },
  {
    api: 'Slack',
    docs: 'https://api.slack.com/apis/pagination',
    pages: [
      { body: { ok: true, members: first, response_metadata: { next_cursor: 'dXNl' } } },
      { body: { ok: true, members: second, response_metadata: { next_cursor: '' } } },
    ],
    asks: ['?cursor=dXNl'],
    paginator: { type: 'cursor', cursorPath: 'response_metadata.next_cursor', cursorParam: 'cursor' },
  },
  {
    api: 'Notion',
    docs: 'https://developers.notion.com/reference/intro#pagination',
    pages: [
      { body: { object: 'list', results: first, next_cursor: 'fe2c', has_more: true, type: 'user', user: {} } },
      { body: { object: 'list', results: second, next_cursor: null, has_more: false, type: 'user', user: {} } },
    ],
    asks: ['?start_cursor=fe2c'],
    paginator: { type: 'cursor', cursorPath: 'next_cursor', cursorParam: 'start_cursor' },
  },
  {
    api: 'Notion queries',
    docs: 'https://developers.notion.com/reference/post-database-query',
    method: 'POST',
    json: { page_size: 3 },
    pages: [
      { body: { object: 'list', results: first, next_cursor: 'fe2c', has_more: true } },
      { body: { object: 'list', results: second, next_cursor: null, has_more: false } },
    ],
    asks: ['{"page_size":3,"start_cursor":"fe2c"}'],
    paginator: { type: 'cursor', cursorPath: 'next_cursor', cursorBodyPath: 'start_cursor' },
  },
  {
    api: 'Airtable',
    docs: 'https://airtable.com/developers/web/api/list-records',
    pages: [{ body: { records: first, offset: 'itrEN2/recc' } }, { body: { records: second } }],
    asks: ['?offset=itrEN2%2Frecc'],
    paginator: { type: 'cursor', cursorPath: 'offset', cursorParam: 'offset' },
  },
  {
    api: 'Intercom',
    docs: 'https://developers.intercom.com/docs/build-an-integration/learn-more/rest-apis/pagination-cursor',
    pages: [
      {
        body: {
          type: 'list',
          data: first,
          total_count: 5,
          pages: { type: 'pages', next: { page: 2, starting_after: 'WzE3' }, page: 1, per_page: 3, total_pages: 2 },
        },
      },
      {
        body: {
          type: 'list',
          data: second,
          total_count: 5,
          pages: { type: 'pages', page: 2, per_page: 3, total_pages: 2 },
        },
      },
    ],
    asks: ['?starting_after=WzE3'],
    paginator: { type: 'cursor', cursorPath: 'pages.next.starting_after', cursorParam: 'starting_after' },
  },
  {
    api: 'Square',
    docs: 'https://developer.squareup.com/docs/build-basics/common-api-patterns/pagination',
    pages: [{ body: { customers: first, cursor: 'AbCd' } }, { body: { customers: second } }],
    asks: ['?cursor=AbCd'],
    paginator: { type: 'cursor', cursorPath: 'cursor', cursorParam: 'cursor' },
  },
  {
    api: 'Box by marker',
    docs: 'https://developer.box.com/guides/api-calls/pagination/marker-based/',
    pages: [
      { body: { entries: first, limit: 3, next_marker: 'JV9I' } },
      { body: { entries: second, limit: 3, next_marker: '' } },
    ],
    asks: ['?marker=JV9I'],
    paginator: { type: 'cursor', cursorPath: 'next_marker', cursorParam: 'marker' },
  },
  {
    api: 'Google Drive',
    docs: 'https://developers.google.com/drive/api/reference/rest/v3/files/list',
    pages: [
      { body: { kind: 'drive#fileList', incompleteSearch: false, nextPageToken: '~!!~AI', files: first } },
      { body: { kind: 'drive#fileList', incompleteSearch: false, files: second } },
    ],
    asks: ['?pageToken=~!!~AI'],
    paginator: { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'pageToken' },
  },
  {
    api: 'Google Calendar',
    docs: 'https://developers.google.com/calendar/api/v3/reference/events/list',
    rowsAt: 'items',
    pages: [
      { body: { kind: 'calendar#events', summary: 's', nextPageToken: 'CigK', defaultReminders: [], items: first } },
      { body: { kind: 'calendar#events', summary: 's', nextSyncToken: 'CKj', defaultReminders: [], items: second } },
    ],
    asks: ['?pageToken=CigK'],
    paginator: { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'pageToken' },
  },
  {
    api: 'Gmail',
    docs: 'https://developers.google.com/gmail/api/reference/rest/v1/users.messages/list',
    pages: [
      { body: { messages: first, nextPageToken: '0982', resultSizeEstimate: 5 } },
      { body: { messages: second, resultSizeEstimate: 5 } },
    ],
    asks: ['?pageToken=0982'],
    paginator: { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'pageToken' },
  },
  {
    api: 'YouTube',
    docs: 'https://developers.google.com/youtube/v3/guides/implementation/pagination',
    pages: [
      {
        body: {
          kind: 'youtube#searchListResponse',
          nextPageToken: 'CAU',
          pageInfo: { totalResults: 5, resultsPerPage: 3 },
          items: first,
        },
      },
      {
        body: {
          kind: 'youtube#searchListResponse',
          prevPageToken: 'CAA',
          pageInfo: { totalResults: 5, resultsPerPage: 3 },
          items: second,
        },
      },
    ],
    asks: ['?pageToken=CAU'],
    paginator: { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'pageToken' },
  },
  {
    api: 'Jira of today',
    docs: 'https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/',
    pages: [
      { body: { isLast: false, issues: first, nextPageToken: 'CAEa' } },
      { body: { isLast: true, issues: second } },
    ],
    asks: ['?nextPageToken=CAEa'],
    paginator: { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'nextPageToken' },
  },
  {
    api: 'AWS, JSON',
    docs: 'https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html',
    method: 'POST',
    json: { MaxResults: 3 },
    pages: [{ body: { SecretList: first, NextToken: 'AAA=' } }, { body: { SecretList: second } }],
    asks: ['{"MaxResults":3,"NextToken":"AAA="}'],
    paginator: { type: 'cursor', cursorPath: 'NextToken', cursorBodyPath: 'NextToken' },
  },
  {
    api: 'AWS Lambda',
    docs: 'https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html',
    pages: [{ body: { Functions: first, NextMarker: 'm3' } }, { body: { Functions: second, NextMarker: null } }],
    asks: ['?Marker=m3'],
    paginator: { type: 'cursor', cursorPath: 'NextMarker', cursorParam: 'Marker' },
  },
  {
    api: 'DynamoDB',
    docs: 'https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html',
    method: 'POST',
    json: { TableName: 't' },
    pages: [{ body: { Count: 3, Items: first, LastEvaluatedKey: { id: { N: '3' } }, ScannedCount: 3 } }],
    asks: [],
    refused: /"LastEvaluatedKey" is/,
  },
  {
    api: 'Reddit',
    docs: 'https://www.reddit.com/dev/api/#listings',
    rowsAt: 'data.children',
    pages: [
      { body: { kind: 'Listing', data: { modhash: '', dist: 3, after: 't3_c', before: null, children: first } } },
      { body: { kind: 'Listing', data: { modhash: '', dist: 2, after: null, before: 't3_d', children: second } } },
    ],
    asks: ['?after=t3_c'],
    paginator: { type: 'cursor', cursorPath: 'data.after', cursorParam: 'after' },
  },
  {
    api: 'X',
    docs: 'https://docs.x.com/x-api/fundamentals/pagination',
    pages: [
      { body: { data: first, meta: { result_count: 3, next_token: '7140' } } },
      { body: { data: second, meta: { result_count: 2, previous_token: '77' } } },
    ],
    asks: ['?pagination_token=7140'],
    paginator: { type: 'cursor', cursorPath: 'meta.next_token', cursorParam: 'pagination_token' },
  },
  {
    api: 'X 1.1',
    docs: 'https://developer.x.com/en/docs/x-api/v1/pagination',
    pages: [
      {
        body: {
          users: first,
          next_cursor: 1333504313713126852n.toString(),
          next_cursor_str: '1333504313713126852',
          previous_cursor: 0,
        },
      },
      { body: { users: second, next_cursor: 0, next_cursor_str: '0', previous_cursor: 1 } },
    ],
    asks: ['?cursor=1333504313713126852'],
    paginator: { type: 'cursor', cursorPath: 'next_cursor', cursorParam: 'cursor' },
  },
  {
    api: 'Twitch',
    docs: 'https://dev.twitch.tv/docs/api/guide/#pagination',
    pages: [{ body: { data: first, pagination: { cursor: 'eyJi' } } }, { body: { data: second, pagination: {} } }],
    asks: ['?after=eyJi'],
    paginator: { type: 'cursor', cursorPath: 'pagination.cursor', cursorParam: 'after' },
  },
  {
    api: 'Zoom by token',
    docs: 'https://developers.zoom.us/docs/api/rest/pagination/',
    pages: [
      { body: { page_size: 3, next_page_token: 'b43Y', meetings: first } },
      { body: { page_size: 3, next_page_token: '', meetings: second } },
    ],
    asks: ['?next_page_token=b43Y'],
    paginator: { type: 'cursor', cursorPath: 'next_page_token', cursorParam: 'next_page_token' },
  },
  {
    api: 'Eventbrite',
    docs: 'https://www.eventbrite.com/platform/docs/pagination',
    pages: [
      {
        body: {
          pagination: { object_count: 5, page_number: 1, page_size: 3, has_more_items: true, continuation: 'dGhp' },
          events: first,
        },
      },
      {
        body: {
          pagination: { object_count: 5, page_number: 2, page_size: 3, has_more_items: false, continuation: 'eW91' },
          events: second,
        },
      },
    ],
    asks: ['?continuation=dGhp'],
    paginator: {
      type: 'cursor',
      cursorPath: 'pagination.continuation',
      cursorParam: 'continuation',
      hasMorePath: 'pagination.has_more_items',
    },
  },
  {
    api: 'Datadog v2',
    docs: 'https://docs.datadoghq.com/api/latest/logs/#search-logs-get',
    pages: [
      { body: { data: first, meta: { page: { after: 'eyJh' }, status: 'done' } } },
      { body: { data: second, meta: { status: 'done' } } },
    ],
    asks: ['?page[cursor]=eyJh'],
    paginator: { type: 'cursor', cursorPath: 'meta.page.after', cursorParam: 'page[cursor]' },
  },
  {
    api: 'Pipedrive',
    docs: 'https://pipedrive.readme.io/docs/core-api-concepts-pagination',
    pages: [
      {
        body: {
          success: true,
          data: first,
          additional_data: { pagination: { start: 0, limit: 3, more_items_in_collection: true, next_start: 3 } },
        },
      },
      {
        body: {
          success: true,
          data: second,
          additional_data: { pagination: { start: 3, limit: 3, more_items_in_collection: false } },
        },
      },
    ],
    asks: ['?start=3'],
    paginator: { type: 'cursor', cursorPath: 'additional_data.pagination.next_start', cursorParam: 'start' },
  },
  {
    api: 'Pipedrive v2',
    docs: 'https://pipedrive.readme.io/docs/core-api-concepts-pagination#cursor-based-pagination',
    pages: [
      { body: { success: true, data: first, additional_data: { next_cursor: 'eyJm' } } },
      { body: { success: true, data: second, additional_data: { next_cursor: null } } },
    ],
    asks: ['?cursor=eyJm'],
    paginator: { type: 'cursor', cursorPath: 'additional_data.next_cursor', cursorParam: 'cursor' },
  },
  {
    api: 'Lever',
    docs: 'https://hire.lever.co/developer/documentation#pagination',
    pages: [{ body: { data: first, next: '["1437","fb"]', hasNext: true } }],
    asks: ['?cursor=%5B%221437%22%2C%22fb%22%5D'],
    refused: /second page is the first again/,
  },
  {
    api: 'Chargebee',
    docs: 'https://apidocs.chargebee.com/docs/api/#pagination_and_filtering',
    pages: [{ body: { list: first, next_offset: '["1529","207"]' } }, { body: { list: second } }],
    asks: ['?offset=%5B%221529%22%2C%22207%22%5D'],
    paginator: { type: 'cursor', cursorPath: 'next_offset', cursorParam: 'offset' },
  },
  {
    api: 'Dynatrace',
    docs: 'https://docs.dynatrace.com/docs/dynatrace-api/basics/access-limit#pagination',
    pages: [
      { body: { totalCount: 5, pageSize: 3, nextPageKey: '___e7k', entities: first } },
      { body: { totalCount: 5, pageSize: 3, entities: second } },
    ],
    asks: ['?nextPageKey=___e7k'],
    paginator: { type: 'cursor', cursorPath: 'nextPageKey', cursorParam: 'nextPageKey' },
  },
  {
    api: 'Kubernetes',
    docs: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks',
    pages: [
      {
        body: {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: { resourceVersion: '10245', continue: 'ENCODED', remainingItemCount: 2 },
          items: first,
        },
      },
      {
        body: {
          kind: 'PodList',
          apiVersion: 'v1',
          metadata: { resourceVersion: '10245', continue: '' },
          items: second,
        },
      },
    ],
    asks: ['?continue=ENCODED'],
    paginator: { type: 'cursor', cursorPath: 'metadata.continue', cursorParam: 'continue' },
  },
  {
    api: 'Pinterest',
    docs: 'https://developers.pinterest.com/docs/reference/pagination/',
    pages: [{ body: { items: first, bookmark: 'bm3' } }, { body: { items: second, bookmark: null } }],
    asks: ['?bookmark=bm3'],
    paginator: { type: 'cursor', cursorPath: 'bookmark', cursorParam: 'bookmark' },
  },
  {
    api: 'Marketo',
    docs: 'https://developers.marketo.com/rest-api/paging-tokens/',
    pages: [
      { body: { requestId: 'r', success: true, nextPageToken: 'GWP5', moreResult: true, result: first } },
      { body: { requestId: 's', success: true, moreResult: false, result: second } },
    ],
    asks: ['?nextPageToken=GWP5'],
    paginator: { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'nextPageToken' },
  },
  {
    api: 'Crossref with a cursor',
    docs: 'https://www.crossref.org/documentation/retrieve-metadata/rest-api/',
    path: 'list?cursor=*',
    pages: [
      {
        body: {
          status: 'ok',
          'message-type': 'work-list',
          message: {
            facets: {},
            'next-cursor': 'AoJ4',
            'total-results': 5,
            'items-per-page': 3,
            query: { 'start-index': 0 },
            items: first,
          },
        },
      },
      {
        body: {
          status: 'ok',
          'message-type': 'work-list',
          message: {
            facets: {},
            'next-cursor': 'AoJ5',
            'total-results': 5,
            'items-per-page': 3,
            query: { 'start-index': 0 },
            items: second,
          },
        },
      },
      {
        body: {
          status: 'ok',
          'message-type': 'work-list',
          message: { facets: {}, 'total-results': 5, 'items-per-page': 3, query: { 'start-index': 0 }, items: [] },
        },
      },
    ],
    asks: ['?cursor=AoJ4', '?cursor=AoJ5'],
    paginator: { type: 'cursor', cursorPath: 'message.next-cursor', cursorParam: 'cursor' },
  },
  {
    api: 'OpenAlex with a cursor',
    docs: 'https://docs.openalex.org/how-to-use-the-api/get-lists-of-entities/paging',
    path: 'list?cursor=*',
    pages: [
      {
        body: {
          meta: { count: 5, db_response_time_ms: 30, page: null, per_page: 3, next_cursor: 'IlsxN' },
          results: first,
          group_by: [],
        },
      },
      {
        body: {
          meta: { count: 5, db_response_time_ms: 30, page: null, per_page: 3, next_cursor: null },
          results: second,
          group_by: [],
        },
      },
    ],
    asks: ['?cursor=IlsxN'],
    paginator: { type: 'cursor', cursorPath: 'meta.next_cursor', cursorParam: 'cursor' },
  },
  {
    api: 'Kaminari in the manner of Active Model Serializers',
    docs: 'https://github.com/rails-api/active_model_serializers/blob/0-10-stable/docs/howto/add_pagination_links.md',
    pages: [
      { body: { items: first, meta: { current_page: 1, next_page: 2, prev_page: null } } },
      { body: { items: second, meta: { current_page: 2, next_page: null, prev_page: 1 } } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'cursor', cursorPath: 'meta.next_page', cursorParam: 'page' },
  },
  {
    api: 'Vercel',
    docs: 'https://vercel.com/docs/rest-api#pagination',
    pages: [{ body: { projects: first, pagination: { count: 3, next: 1555072968396, prev: 1555413045188 } } }],
    asks: [],
    refused: /"pagination.next" is 1555072968396/,
  },
  {
    api: 'MediaWiki',
    docs: 'https://www.mediawiki.org/wiki/API:Continue',
    rowsAt: 'query.search',
    pages: [{ body: { batchcomplete: '', continue: { sroffset: 3, continue: '-||' }, query: { search: first } } }],
    asks: [],
    refused: /"continue/,
  },
  {
    api: 'Dropbox',
    docs: 'https://www.dropbox.com/developers/documentation/http/documentation#files-list_folder',
    method: 'POST',
    json: { path: '' },
    pages: [{ body: { entries: first, cursor: 'ZtkX', has_more: true } }],
    asks: ['{"path":"","cursor":"ZtkX"}'],
    refused: /second page is the first again/,
  },
  // Numbers.
  {
    api: 'Jira before',
    docs: 'https://developer.atlassian.com/cloud/jira/platform/rest/v2/intro/#pagination',
    pages: [
      { body: { startAt: 0, maxResults: 3, total: 5, issues: first } },
      { body: { startAt: 3, maxResults: 3, total: 5, issues: second } },
    ],
    asks: ['?startAt=3&maxResults=3'],
    paginator: { type: 'offset', offsetParam: 'startAt', limitParam: 'maxResults', limit: 3, totalPath: 'total' },
  },
  {
    api: 'Confluence v1',
    docs: 'https://developer.atlassian.com/server/confluence/pagination-in-the-rest-api/',
    pages: [
      {
        body: {
          results: first,
          start: 0,
          limit: 3,
          size: 3,
          _links: { base: '{base}/wiki', context: '/wiki', next: '/rest/api/content?limit=3&start=3' },
        },
      },
      { body: { results: second, start: 3, limit: 3, size: 2, _links: { base: '{base}/wiki', context: '/wiki' } } },
    ],
    asks: ['/wiki/rest/api/content?limit=3&start=3'],
    refused: /404|400/,
  },
  {
    api: 'PagerDuty',
    docs: 'https://developer.pagerduty.com/docs/pagination',
    pages: [
      { body: { incidents: first, limit: 3, offset: 0, total: null, more: true } },
      { body: { incidents: second, limit: 3, offset: 3, total: null, more: false } },
    ],
    asks: ['?offset=3&limit=3'],
    paginator: {
      type: 'offset',
      offsetParam: 'offset',
      limitParam: 'limit',
      limit: 3,
      totalPath: null,
      hasMorePath: 'more',
    },
  },
  {
    api: 'Contentful',
    docs: 'https://www.contentful.com/developers/docs/references/content-delivery-api/#/introduction/collection-resources-and-pagination',
    pages: [
      { body: { sys: { type: 'Array' }, total: 5, skip: 0, limit: 3, items: first } },
      { body: { sys: { type: 'Array' }, total: 5, skip: 3, limit: 3, items: second } },
    ],
    asks: ['?skip=3&limit=3'],
    paginator: { type: 'offset', offsetParam: 'skip', limitParam: 'limit', limit: 3, totalPath: 'total' },
  },
  {
    api: 'Box by offset',
    docs: 'https://developer.box.com/guides/api-calls/pagination/offset-based/',
    pages: [
      { body: { total_count: 5, entries: first, offset: 0, limit: 3, order: [] } },
      { body: { total_count: 5, entries: second, offset: 3, limit: 3, order: [] } },
    ],
    asks: ['?offset=3&limit=3'],
    paginator: { type: 'offset', offsetParam: 'offset', limitParam: 'limit', limit: 3, totalPath: 'total_count' },
  },
  {
    api: 'LinkedIn',
    docs: 'https://learn.microsoft.com/linkedin/shared/api-guide/concepts/pagination',
    rowsAt: 'elements',
    pages: [
      { body: { elements: first, paging: { count: 3, start: 0, total: 5, links: [] } } },
      { body: { elements: second, paging: { count: 3, start: 3, total: 5, links: [] } } },
    ],
    asks: ['?start=3&count=3'],
    paginator: { type: 'offset', offsetParam: 'start', limitParam: 'count', limit: 3, totalPath: 'paging.total' },
  },
  {
    api: 'SCIM',
    docs: 'https://datatracker.ietf.org/doc/html/rfc7644#section-3.4.2.4',
    rowsAt: 'Resources',
    pages: [
      { body: { schemas: ['urn'], totalResults: 5, startIndex: 1, itemsPerPage: 3, Resources: first } },
      { body: { schemas: ['urn'], totalResults: 5, startIndex: 4, itemsPerPage: 2, Resources: second } },
      { body: { schemas: ['urn'], totalResults: 5, startIndex: 6, itemsPerPage: 0, Resources: [] } },
    ],
    asks: ['?startIndex=4&count=3', '?startIndex=6&count=3'],
    paginator: { type: 'offset', offsetParam: 'startIndex', offset: 1, limitParam: 'count', limit: 3, totalPath: null },
  },
  {
    api: 'NVD',
    docs: 'https://nvd.nist.gov/developers/api-workflows',
    rowsAt: 'vulnerabilities',
    pages: [
      { body: { resultsPerPage: 3, startIndex: 0, totalResults: 5, format: 'NVD_CVE', vulnerabilities: first } },
      { body: { resultsPerPage: 2, startIndex: 3, totalResults: 5, format: 'NVD_CVE', vulnerabilities: second } },
    ],
    asks: ['?startIndex=3&resultsPerPage=3'],
    paginator: {
      type: 'offset',
      offsetParam: 'startIndex',
      limitParam: 'resultsPerPage',
      limit: 3,
      totalPath: 'totalResults',
    },
  },
  {
    api: 'Spring Data',
    docs: 'https://docs.spring.io/spring-data/commons/docs/current/api/org/springframework/data/domain/Page.html',
    pages: [
      {
        body: {
          content: first,
          totalPages: 2,
          totalElements: 5,
          number: 0,
          size: 3,
          first: true,
          last: false,
          numberOfElements: 3,
          empty: false,
          pageable: { offset: 0, pageNumber: 0, pageSize: 3 },
        },
      },
      {
        body: {
          content: second,
          totalPages: 2,
          totalElements: 5,
          number: 1,
          size: 3,
          first: false,
          last: true,
          numberOfElements: 2,
          empty: false,
          pageable: { offset: 3, pageNumber: 1, pageSize: 3 },
        },
      },
    ],
    asks: ['?page=1'],
    paginator: { type: 'page_number', basePage: 0, totalPath: 'totalPages' },
  },
  {
    api: 'Spring Data since 3.3',
    docs: 'https://docs.spring.io/spring-data/commons/reference/repositories/core-extensions.html#core.web.page',
    pages: [
      { body: { content: first, page: { size: 3, number: 0, totalElements: 5, totalPages: 2 } } },
      { body: { content: second, page: { size: 3, number: 1, totalElements: 5, totalPages: 2 } } },
    ],
    asks: ['?page=1'],
    paginator: { type: 'page_number', basePage: 0, totalPath: 'page.totalPages' },
  },
  {
    api: 'Spring Data slices',
    docs: 'https://docs.spring.io/spring-data/commons/docs/current/api/org/springframework/data/domain/Slice.html',
    pages: [
      { body: { content: first, last: false, number: 0, size: 3, numberOfElements: 3, first: true, empty: false } },
      { body: { content: second, last: true, number: 1, size: 3, numberOfElements: 2, first: false, empty: false } },
    ],
    asks: ['?page=1'],
    paginator: { type: 'page_number', basePage: 0, totalPath: null, stopWhen: 'body.last == true' },
  },
  {
    api: 'Algolia',
    docs: 'https://www.algolia.com/doc/rest-api/search',
    rowsAt: 'hits',
    pages: [
      { body: { hits: first, page: 0, nbHits: 5, nbPages: 2, hitsPerPage: 3, query: '', params: 'query=' } },
      { body: { hits: second, page: 1, nbHits: 5, nbPages: 2, hitsPerPage: 3, query: '', params: 'query=' } },
    ],
    asks: ['?page=1'],
    paginator: { type: 'page_number', basePage: 0, totalPath: 'nbPages' },
  },
  {
    api: 'Strapi',
    docs: 'https://docs.strapi.io/dev-docs/api/rest/sort-pagination',
    pages: [
      { body: { data: first, meta: { pagination: { page: 1, pageSize: 3, pageCount: 2, total: 5 } } } },
      { body: { data: second, meta: { pagination: { page: 2, pageSize: 3, pageCount: 2, total: 5 } } } },
    ],
    asks: ['?pagination[page]=2'],
    paginator: {
      type: 'page_number',
      basePage: 1,
      pageParam: 'pagination[page]',
      totalPath: 'meta.pagination.pageCount',
    },
  },
  {
    api: 'Ghost',
    docs: 'https://ghost.org/docs/content-api/#pagination',
    pages: [
      { body: { posts: first, meta: { pagination: { page: 1, limit: 3, pages: 2, total: 5, next: 2, prev: null } } } },
      { body: { posts: second, meta: { pagination: { page: 2, limit: 3, pages: 2, total: 5, next: null, prev: 1 } } } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'cursor', cursorPath: 'meta.pagination.next', cursorParam: 'page' },
  },
  {
    api: 'Cloudflare',
    docs: 'https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/#pagination',
    rowsAt: 'result',
    pages: [
      {
        body: {
          success: true,
          errors: [],
          messages: [],
          result: first,
          result_info: { page: 1, per_page: 3, total_pages: 2, count: 3, total_count: 5 },
        },
      },
      {
        body: {
          success: true,
          errors: [],
          messages: [],
          result: second,
          result_info: { page: 2, per_page: 3, total_pages: 2, count: 2, total_count: 5 },
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: 'result_info.total_pages' },
  },
  {
    api: 'Xero',
    docs: 'https://developer.xero.com/documentation/best-practices/integration-health/using-paging/',
    pages: [
      {
        body: {
          Id: 'x',
          Status: 'OK',
          pagination: { page: 1, pageSize: 3, pageCount: 2, itemCount: 5 },
          Contacts: first,
        },
      },
      {
        body: {
          Id: 'y',
          Status: 'OK',
          pagination: { page: 2, pageSize: 3, pageCount: 2, itemCount: 5 },
          Contacts: second,
        },
      },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: 'pagination.pageCount' },
  },
  {
    api: 'Typeform',
    docs: 'https://www.typeform.com/developers/create/reference/retrieve-forms/',
    pages: [
      { body: { total_items: 5, page_count: 2, items: first } },
      { body: { total_items: 5, page_count: 2, items: second } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: 'page_count' },
  },
  {
    api: 'World Bank',
    docs: 'https://datahelpdesk.worldbank.org/knowledgebase/articles/898581',
    rowsAt: '[1]',
    pages: [
      { body: [{ page: 1, pages: 2, per_page: '3', total: 5 }, first] },
      { body: [{ page: 2, pages: 2, per_page: '3', total: 5 }, second] },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: '[0].pages' },
  },
  {
    api: 'OpenAlex',
    docs: 'https://docs.openalex.org/how-to-use-the-api/get-lists-of-entities/paging',
    pages: [
      { body: { meta: { count: 5, db_response_time_ms: 30, page: 1, per_page: 3 }, results: first, group_by: [] } },
      { body: { meta: { count: 5, db_response_time_ms: 30, page: 2, per_page: 3 }, results: second, group_by: [] } },
      { body: { meta: { count: 5, db_response_time_ms: 30, page: 3, per_page: 3 }, results: [], group_by: [] } },
    ],
    asks: ['?page=2', '?page=3'],
    paginator: { type: 'page_number', basePage: 1, totalPath: null },
  },
  {
    api: 'Zoho CRM',
    docs: 'https://www.zoho.com/crm/developer/docs/api/v6/get-records.html',
    pages: [
      { body: { data: first, info: { per_page: 3, count: 3, page: 1, more_records: true } } },
      { body: { data: second, info: { per_page: 3, count: 2, page: 2, more_records: false } } },
    ],
    asks: ['?page=2'],
    paginator: { type: 'page_number', basePage: 1, totalPath: null, hasMorePath: 'info.more_records' },
  },
  {
    api: 'page and size only',
    docs: 'https://swagger.io/docs/specification/v3_0/serialization/',
    pages: [
      { body: { page: 1, per_page: 3, items: first } },
      { body: { page: 2, per_page: 3, items: second } },
      { body: { page: 3, per_page: 3, items: [] } },
    ],
    asks: ['?page=2', '?page=3'],
    paginator: { type: 'page_number', basePage: 1, totalPath: null },
  },
  // With what the source itself asks for.
  {
    api: 'Stack Exchange, asked for page=1',
    docs: 'https://api.stackexchange.com/docs/paging',
    path: 'list?page=1&pagesize=3',
    pages: [
      { body: { items: first, has_more: true, quota_max: 300, quota_remaining: 299 } },
      { body: { items: second, has_more: false, quota_max: 300, quota_remaining: 298 } },
    ],
    asks: ['?page=2&pagesize=3'],
    paginator: { type: 'page_number', basePage: 1, pageParam: 'page', totalPath: null, hasMorePath: 'has_more' },
  },
  {
    api: 'Postmark, asked for count and offset',
    docs: 'https://postmarkapp.com/developer/api/messages-api',
    path: 'list?count=3&offset=0',
    pages: [{ body: { TotalCount: 5, Messages: first } }, { body: { TotalCount: 5, Messages: second } }],
    asks: ['?count=3&offset=3'],
    paginator: { type: 'offset', offsetParam: 'offset', limitParam: 'count', limit: 3, totalPath: 'TotalCount' },
  },
  {
    api: 'Mailchimp, asked for count and offset',
    docs: 'https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination',
    path: 'list?count=3&offset=0',
    pages: [
      { body: { lists: first, total_items: 5, _links: [] } },
      { body: { lists: second, total_items: 5, _links: [] } },
    ],
    rowsAt: 'lists',
    asks: ['?count=3&offset=3'],
    paginator: { type: 'offset', offsetParam: 'offset', limitParam: 'count', limit: 3, totalPath: 'total_items' },
  },
  {
    api: 'ActiveCampaign, asked for limit and offset',
    docs: 'https://developers.activecampaign.com/reference/pagination',
    path: 'list?limit=3&offset=0',
    pages: [{ body: { contacts: first, meta: { total: '5' } } }, { body: { contacts: second, meta: { total: '5' } } }],
    asks: ['?limit=3&offset=3'],
    paginator: { type: 'offset', offsetParam: 'offset', limitParam: 'limit', limit: 3, totalPath: 'meta.total' },
  },
  {
    api: 'npm search, asked for from and size',
    docs: 'https://github.com/npm/registry/blob/main/docs/REGISTRY-API.md#get-v1search',
    path: 'list?from=0&size=3',
    rowsAt: 'objects',
    pages: [{ body: { objects: first, total: 5, time: 't' } }, { body: { objects: second, total: 5, time: 't' } }],
    asks: ['?from=3&size=3'],
    paginator: { type: 'offset', offsetParam: 'from', limitParam: 'size', limit: 3, totalPath: 'total' },
  },
  {
    api: 'Close, asked for _skip and _limit',
    docs: 'https://developer.close.com/topics/pagination/',
    path: 'list?_skip=0&_limit=3',
    pages: [
      { body: { has_more: true, total_results: 5, data: first } },
      { body: { has_more: false, total_results: 5, data: second } },
    ],
    asks: ['?_skip=3&_limit=3'],
    paginator: {
      type: 'offset',
      offsetParam: '_skip',
      limitParam: '_limit',
      limit: 3,
      totalPath: null,
      hasMorePath: 'has_more',
    },
  },
  {
    api: 'Solr, asked for start and rows',
    docs: 'https://solr.apache.org/guide/solr/latest/query-guide/pagination-of-results.html',
    path: 'list?start=0&rows=3',
    rowsAt: 'response.docs',
    pages: [
      {
        body: { responseHeader: { status: 0 }, response: { numFound: 5, start: 0, numFoundExact: true, docs: first } },
      },
      {
        body: { responseHeader: { status: 0 }, response: { numFound: 5, start: 3, numFoundExact: true, docs: second } },
      },
    ],
    asks: ['?start=3&rows=3'],
    paginator: { type: 'offset', offsetParam: 'start', limitParam: 'rows', limit: 3, totalPath: 'response.numFound' },
  },
  {
    api: 'CKAN, asked for start and rows',
    docs: 'https://docs.ckan.org/en/latest/api/#ckan.logic.action.get.package_search',
    path: 'list?start=0&rows=3',
    rowsAt: 'result.results',
    pages: [
      { body: { success: true, result: { count: 5, facets: {}, results: first } } },
      { body: { success: true, result: { count: 5, facets: {}, results: second } } },
    ],
    asks: ['?start=3&rows=3'],
    paginator: { type: 'offset', offsetParam: 'start', limitParam: 'rows', limit: 3, totalPath: 'result.count' },
  },
  {
    api: 'Elasticsearch, asked for from and size',
    docs: 'https://www.elastic.co/guide/en/elasticsearch/reference/current/paginate-search-results.html',
    path: 'list?from=0&size=3',
    rowsAt: 'hits.hits',
    pages: [
      { body: { took: 1, timed_out: false, hits: { total: { value: 5, relation: 'eq' }, max_score: 1, hits: first } } },
      {
        body: { took: 1, timed_out: false, hits: { total: { value: 5, relation: 'eq' }, max_score: 1, hits: second } },
      },
    ],
    asks: ['?from=3&size=3'],
    paginator: { type: 'offset', offsetParam: 'from', limitParam: 'size', limit: 3, totalPath: 'hits.total.value' },
  },
  // More is there, and nothing says how to get it.
  ...(
    [
      [
        'Postmark',
        'https://postmarkapp.com/developer/api/messages-api',
        { TotalCount: 5, Messages: first },
        /"TotalCount" is 5/,
      ],
      [
        'Mailchimp',
        'https://mailchimp.com/developer/marketing/docs/methods-parameters/#pagination',
        { lists: first, total_items: 5 },
        /"total_items" is 5/,
      ],
      [
        'ActiveCampaign',
        'https://developers.activecampaign.com/reference/pagination',
        { contacts: first, meta: { total: '5' } },
        /"meta.total" is "5"/,
      ],
      [
        'Stack Exchange',
        'https://api.stackexchange.com/docs/paging',
        { items: first, has_more: true, quota_max: 300 },
        /"has_more" is true/,
      ],
      [
        'Close',
        'https://developer.close.com/topics/pagination/',
        { has_more: true, total_results: 5, data: first },
        /"has_more" is true/,
      ],
      [
        'Elasticsearch',
        'https://www.elastic.co/guide/en/elasticsearch/reference/current/paginate-search-results.html',
        { took: 1, hits: { total: { value: 5, relation: 'eq' }, hits: first } },
        /"hits.total.value" is 5/,
      ],
      ['Brevo', 'https://developers.brevo.com/reference/getcontacts-1', { contacts: first, count: 5 }, /"count" is 5/],
      [
        'GitHub trees',
        'https://docs.github.com/rest/git/trees',
        { sha: '9f', url: 'https://x/trees/9f', tree: first, truncated: true },
        /"truncated" is true/,
      ],
      [
        'ArcGIS',
        'https://developers.arcgis.com/rest/services-reference/enterprise/query-feature-service-layer/',
        { objectIdFieldName: 'id', features: first, exceededTransferLimit: true },
        /"exceededTransferLimit" is true/,
      ],
      [
        'Plaid',
        'https://plaid.com/docs/api/products/transactions/#transactionsget',
        { transactions: first, total_transactions: 5, request_id: 'r' },
        /"total_transactions" is 5/,
      ],
      [
        'PubMed',
        'https://www.ncbi.nlm.nih.gov/books/NBK25499/',
        { header: { type: 'esearch' }, esearchresult: { count: '5', retmax: '3', retstart: '0', idlist: first } },
        /"esearchresult.count" is "5"/,
      ],
      [
        'QuickBooks',
        'https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/data-queries',
        { QueryResponse: { Item: first, startPosition: 1, maxResults: 3 }, time: 't' },
        /"QueryResponse.maxResults" is 3/,
      ],
      [
        'hasNext inside page',
        'https://json-schema.org/',
        { items: first, page: { hasNext: true, size: 3 } },
        /"page.hasNext" is true/,
      ],
    ] as const
  ).map(([api, docs, body, refused]): CatalogApi => ({ api, docs, pages: [{ body }], asks: [], refused })),
  {
    api: 'Auth0 with totals',
    docs: 'https://auth0.com/docs/manage-users/user-search/view-search-results-by-page',
    pages: [{ body: { start: 0, limit: 3, length: 3, total: 5, users: first } }],
    asks: ['?start=3&limit=3'],
    refused: /second page is the first again/,
  },
  {
    api: 'arXiv, as its feed reads in JSON',
    docs: 'https://info.arxiv.org/help/api/user-manual.html',
    rowsAt: 'feed.entry',
    pages: [
      {
        body: {
          feed: {
            'opensearch:totalResults': 5,
            'opensearch:startIndex': 0,
            'opensearch:itemsPerPage': 3,
            entry: first,
          },
        },
      },
    ],
    asks: [],
    refused: /totalResults/,
  },
  // All there is.
  ...(
    [
      ['PyPI', 'PyPI, Index API', { meta: { api_version: '1.1', '_last-serial': 2654 }, projects: first }],
      ['Telegram', 'https://core.telegram.org/bots/api#making-requests', { ok: true, result: first }],
      ['Trello', 'https://developer.atlassian.com/cloud/trello/rest/', first],
      ['Discord', 'https://discord.com/developers/docs/resources/guild', first],
      [
        'BambooHR',
        'https://documentation.bamboohr.com/reference/get-employees-directory',
        { fields: [], employees: first },
      ],
      ['Razorpay', 'https://razorpay.com/docs/api/', { entity: 'collection', count: 3, items: first }],
      [
        'Open Notify',
        'http://open-notify.org/Open-Notify-API/People-In-Space/',
        { message: 'success', number: 7, people: first },
      ],
      [
        'Stripe, one page',
        'https://docs.stripe.com/api/pagination',
        { object: 'list', url: '/v1/charges', has_more: false, data: first },
      ],
      [
        'Jira, one page',
        'https://developer.atlassian.com/cloud/jira/platform/rest/v2/intro/#pagination',
        { startAt: 0, maxResults: 50, total: 3, issues: first },
      ],
      [
        'Google, one page',
        'https://developers.google.com/calendar/api/v3/reference/events/list',
        { kind: 'k', nextSyncToken: 'CPDA', items: first },
      ],
      [
        'Twitch, one page',
        'https://dev.twitch.tv/docs/api/guide/#pagination',
        { total: 3, data: first, pagination: {} },
      ],
    ] as const
  ).map(([api, docs, body]): CatalogApi => ({
    api,
    docs,
    pages: [{ body }],
    asks: [],
    ...(api === 'BambooHR' ? { rowsAt: 'employees' } : {}),
    ...(api === 'PyPI' ? { rowsAt: 'projects' } : {}),
  })),
]
