import { describe, expect, it } from 'vitest'
import { detectPaginator } from '../../src/sources/rest/paginate/index.ts'
import { detectingSelector } from '../../src/sources/rest/select.ts'

const row = { id: 7, name: 'x' }
const rows = [row, { id: 8, name: 'y' }]

/** First answers as the documentation of these APIs prints them, shortened. */
const answers: [api: string, body: unknown, headers: Record<string, string>, expected: object][] = [
  [
    'GitHub',
    rows,
    { link: '<https://x/issues?page=2>; rel="next", <https://x/issues?page=9>; rel="last"' },
    { type: 'header_link' },
  ],
  [
    'GitLab without links',
    rows,
    { 'x-page': '1', 'x-next-page': '2', 'x-total-pages': '3' },
    { type: 'page_number', basePage: 1, totalHeader: 'x-total-pages' },
  ],
  ['GitLab with keyset', rows, { link: '<https://x/projects?id_after=42>; rel="next"' }, { type: 'header_link' }],
  [
    'HubSpot',
    { results: rows, paging: { next: { after: 'NTI1', link: '?after=NTI1' } } },
    {},
    { type: 'json_link', nextUrlPath: 'paging.next.link' },
  ],
  [
    'HubSpot without link',
    { results: rows, paging: { next: { after: 'NTI1' } } },
    {},
    { type: 'cursor', cursorPath: 'paging.next.after', cursorParam: 'after' },
  ],
  [
    'Slack',
    { ok: true, members: rows, response_metadata: { next_cursor: 'dXNlcjpV' } },
    {},
    { type: 'cursor', cursorPath: 'response_metadata.next_cursor', cursorParam: 'cursor' },
  ],
  [
    'Zendesk by cursor',
    { tickets: rows, meta: { has_more: true, after_cursor: 'eyJ' }, links: { next: 'https://x/t?page[after]=eyJ' } },
    {},
    { type: 'json_link', nextUrlPath: 'links.next' },
  ],
  [
    'Zendesk by offset',
    { users: rows, count: 1234, next_page: 'https://x/users.json?page=2', previous_page: null },
    {},
    { type: 'json_link', nextUrlPath: 'next_page' },
  ],
  [
    'Jira',
    { startAt: 0, maxResults: 2, total: 200, issues: rows },
    {},
    { type: 'offset', offsetParam: 'startAt', limitParam: 'maxResults', limit: 2, totalPath: 'total' },
  ],
  [
    'Notion',
    { object: 'list', results: rows, next_cursor: 'fe2cc560', has_more: true },
    {},
    { type: 'cursor', cursorPath: 'next_cursor', cursorParam: 'start_cursor' },
  ],
  [
    'Intercom',
    {
      type: 'list',
      data: rows,
      pages: { type: 'pages', next: { page: 2, starting_after: 'WzE3' }, page: 1, total_pages: 4 },
    },
    {},
    { type: 'cursor', cursorPath: 'pages.next.starting_after', cursorParam: 'starting_after' },
  ],
  [
    'X',
    { data: rows, meta: { result_count: 2, next_token: '7140w' } },
    {},
    { type: 'cursor', cursorPath: 'meta.next_token', cursorParam: 'pagination_token' },
  ],
  [
    'Microsoft Graph',
    { '@odata.context': 'c', value: rows, '@odata.nextLink': 'https://x/users?$skiptoken=RF' },
    {},
    { type: 'json_link', nextUrlPath: "['@odata.nextLink']" },
  ],
  [
    'Salesforce',
    { totalSize: 3214, done: false, nextRecordsUrl: '/services/data/v60.0/query/01g-2000', records: rows },
    {},
    { type: 'json_link', nextUrlPath: 'nextRecordsUrl' },
  ],
  [
    'Facebook',
    { data: rows, paging: { cursors: { after: 'MTAx', before: 'NDMy' }, next: 'https://x/me/albums?after=MTAx' } },
    {},
    { type: 'json_link', nextUrlPath: 'paging.next' },
  ],
  [
    'Django REST framework',
    { count: 1023, next: 'https://x/accounts/?page=5', previous: null, results: rows },
    {},
    { type: 'json_link', nextUrlPath: 'next' },
  ],
  [
    'Spring Data',
    { content: rows, totalPages: 4, totalElements: 8, number: 0, size: 2, first: true, last: false },
    {},
    { type: 'page_number', basePage: 0, totalPath: 'totalPages' },
  ],
  [
    'JSON:API',
    { data: rows, links: { self: 's', next: 'https://x/articles?page[number]=2' } },
    {},
    { type: 'json_link', nextUrlPath: 'links.next' },
  ],
  [
    'HAL',
    { _embedded: { orders: rows }, _links: { next: { href: '/orders?page=2' } } },
    {},
    { type: 'json_link', nextUrlPath: '_links.next.href' },
  ],
  [
    'Airtable',
    { records: rows, offset: 'itrEN2TCbrcSN2BMs/reccn' },
    {},
    { type: 'cursor', cursorPath: 'offset', cursorParam: 'offset' },
  ],
  [
    'Asana',
    { data: rows, next_page: { offset: 'eyJ0', path: '/tasks?offset=eyJ0', uri: 'https://x/tasks?offset=eyJ0' } },
    {},
    { type: 'json_link', nextUrlPath: 'next_page.uri' },
  ],
  [
    'Pipedrive',
    {
      success: true,
      data: rows,
      additional_data: { pagination: { start: 0, limit: 2, more_items_in_collection: true, next_start: 2 } },
    },
    {},
    { type: 'cursor', cursorPath: 'additional_data.pagination.next_start', cursorParam: 'start' },
  ],
  [
    'Google',
    { kind: 'list', items: rows, nextPageToken: 'CiAKGjBpN' },
    {},
    { type: 'cursor', cursorPath: 'nextPageToken', cursorParam: 'pageToken' },
  ],
  [
    'Contentful',
    { sys: { type: 'Array' }, total: 1256, skip: 0, limit: 2, items: rows },
    {},
    { type: 'offset', offsetParam: 'skip', limitParam: 'limit', limit: 2, totalPath: 'total' },
  ],
  [
    'WordPress',
    rows,
    { 'x-wp-total': '20', 'x-wp-totalpages': '10', link: '<https://x/posts?page=2>; rel="next"' },
    { type: 'header_link' },
  ],
  [
    'Stripe',
    { object: 'list', url: '/v1/charges', has_more: true, data: rows },
    {},
    { type: 'cursor', cursorPath: 'data[-1].id', cursorParam: 'starting_after', hasMorePath: 'has_more' },
  ],
  [
    'Laravel',
    {
      data: rows,
      links: { first: 'f', last: 'l', prev: null, next: 'https://x/users?page=2' },
      meta: { current_page: 1, last_page: 3 },
    },
    {},
    { type: 'json_link', nextUrlPath: 'links.next' },
  ],
  [
    'keys with dots',
    { items: rows, 'page.next': 'https://x/a?page=2' },
    {},
    { type: 'json_link', nextUrlPath: "['page.next']" },
  ],
  [
    'one page',
    { data: rows, total: 2, page: 1, total_pages: 1 },
    {},
    { type: 'page_number', basePage: 1, totalPath: 'total_pages' },
  ],
  ['one page of all', { data: rows, total: 2 }, {}, { type: 'single_page' }],
  ['a bare list', rows, {}, { type: 'single_page' }],
]

function detected(body: unknown, headers: Record<string, string>): object {
  const response = { status: 200, headers: new Headers(headers), body, text: '', url: new URL('https://x/p') }
  return detectPaginator(response, detectingSelector().rows(body))
}

describe('how an API pages, told by its first answer', () => {
  it.each(answers)('%s', (_api, body, headers, expected) => {
    expect(detected(body, headers)).toMatchObject(expected)
  })

  it('knows the pages of Algolia', () => {
    const body = { hits: rows, nbHits: 50, page: 0, nbPages: 25, hitsPerPage: 2 }
    expect(detected(body, {})).toEqual({ type: 'page_number', basePage: 0, totalPath: 'nbPages' })
  })

  it('the fields of a single row are data, whatever they are called', () => {
    expect(detected({ id: 7, next: 'https://shop.test/orders/8', total_pages: 3 }, {})).toEqual({ type: 'single_page' })
  })

  it.each<[string, unknown, Record<string, string>, RegExp]>([
    ['Mailchimp', { lists: rows, total_items: 100 }, {}, /"total_items" is 100/],
    ['a flag alone', { data: rows, has_more: true }, {}, /"has_more" is true/],
    ['a total in the headers', rows, { 'x-total-count': '100' }, /"x-total-count" is 100/],
  ])('%s: says that there is more, and that it does not know how', (_api, body, headers, message) => {
    expect(() => detected(body, headers)).toThrow(message)
  })
})
