/** A key without case and separators: `nextPageToken`, `next_page_token` and `NEXT-PAGE-TOKEN` are one name. */
export const plainName = (key: string): string =>
  key
    .replace(/^[@_$]*(?:odata|hydra|opensearch)[.:]/i, '')
    .replace(/[^A-Za-z\d]+/g, '')
    .toLowerCase()

/** The vocabulary of paging, in plain names. */
export const names = {
  /** Holds the address of the next page, or an object with that address. */
  link: /^(?:page|pages|paging|pagination|links?)?(?:next|more|continuation)(?:page|pages|results?|records?|rows|items|batch|data|set)?(?:link|url|uri|href|path)?$|^more(?!info|detail|help|doc|about)[a-z]*(?:url|link)$/,
  address: /^(?:href|url|uri|link)$/,
  /** Holds the position of the next page, wherever it is in the response. */
  token:
    /^(?:next(?:page|results?|records?|items?|batch|set|list)?(?:cursor|token|marker|bookmark|key|id|offset|start|index|position|continuation|continuationtoken|scrollid|after|from|skip|cursormark|startingafter|start(?:position|token|key|id|index)|streamposition|partitionkey|rowkey|pagecursor|pagetoken|pagestate)(?:str|string)?|(?:end|after|forward)cursor|cursornext|(?:continuation|continue|pagination|paging|page|resume|resumption|scroll)(?:token|cursor|key)|scrollid|lastevaluatedkey|exclusivestartkey|cursormark|pagingstate|pagestate|startingafter|startafter|after(?:id|key|token))$/,
  /** Holds a position only next to the rows or in an object about paging. */
  nearToken: /^(?:cursor|after|continuation|marker|bookmark|token|next|nextpage|offset|continue)$/,
  more: /^(?:(?:has|is|are)?(?:there)?(?:any)?more[a-z]*|(?:has|is)next(?:page|link|results?)?|next|(?:is|was)?truncated|hasadditional[a-z]*|exceededtransferlimit)$/,
  last: /^(?:is)?(?:last|lastpage|lastbatch|end|endof(?:results|list|data|records|pages)|done|finished|completed?|final|finalpage|exhausted|eof|nomore[a-z]*)$/,
  page: /^(?:page|current|currentpage|currentpagenumber|pagenumber|pageno|pagenum|pageindex|number|curpage)$/,
  pages:
    /^(?:pages|totalpages?|pagestotal|pagetotal|pages?count|totalpagecount|num(?:ber)?(?:of)?pages|totalnumberofpages|nbpages|lastpage|lastpagenumber|maxpages?|countpages)$/,
  total:
    /^(?:(?:estimated)?totals?|(?:estimated)?total(?:number)?(?:of)?(?:count|results?|resultcount|records?|recordcount|items?|itemcount|elements?|size|hits|rows|rowcount|entries|entities|objects|found|matches|available)|count|countall|fullcount|overallcount|numfound|nbhits|found|matches|hits|records?count|recordstotal|items?count|results?count|xtotalcount)$/,
  /** Totals that say of what. */
  clearTotal: /^(?:estimated)?total(?:number)?(?:of)?[a-z]+$/,
  offset: /^(?:offset|skip|start|startat|startindex|startposition|from)$/,
  size: /^(?:limit|perpage|pagesize|size|maxresults|itemsperpage|hitsperpage|resultsperpage|recordsperpage|take|top|rows|pagelimit|maxpagesize|count)$/,
  /** Objects about paging. */
  paging:
    /^(?:meta|metadata|metainfo|paging|pagination|pager|paginator|pages?|pageinfo|paginginfo|paginationinfo|pagedata|pagedetails|cursors?|links?|response(?:meta|metadata|info)|additionaldata|info|next|nextpage|search(?:meta|metadata|info)|listinfo|listmeta|resultinfo|resultsinfo|resultset|view|extras?|navigation|nav|total|status|envelope)$/,
  /** Objects that repeat what was asked, or are about something else. */
  aside:
    /^(?:quer(?:y|ies)|request|params|parameters|filters?|criteria|sort|sorting|args|arguments|input|ratelimits?|quotas?|usage|limits|user|account|owner|viewer|me|self|errors?|warnings?|facets|aggregations|included|includes|auth|session|credentials|oauth|stats|statistics|billing|subscription)$/,
} as const

/** A key in lowercase words: `nextPageToken` is `next page token`. */
const wordsOf = (key: string): string =>
  key
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[^A-Za-z\d]+/g, ' ')
    .trim()
    .toLowerCase()

const hint =
  /\b(?:next|cursors?|more|markers?|continuation|continue|truncated|bookmarks?|scroll|(?:page|list|result|results) token|after (?:id|key|cursor|token))\b/
const noHint =
  /\b(?:prev|previous|first|before|start|self|current|this|sync|delta|access|refresh|csrf|info|details?|help|docs?|about|at|on|date|time|run|update|retry|billing|invoice|payment|step|steps|action|actions|event|reset|check|due|release|version|type|size|limit)\b/

/** Whether a key has a word of paging in it, of a kind that nothing else would be called. */
export function hintsAtMore(key: string): boolean {
  const words = wordsOf(key)
  return hint.test(words) && !noHint.test(words)
}

/** Query parameters and body keys that position or size a page. */
export const params = {
  page: /^(?:page|pagenumber|pagenum|pageno|pageindex|currentpage|p)$/,
  offset: /^(?:offset|skip|start|startat|startindex|from|pageoffset)$/,
  size: /^(?:limit|perpage|pagesize|size|maxresults|maxitems|count|take|top|rows|pagelimit|itemsperpage|resultsperpage|hitsperpage|maxpagesize|first|num|maxkeys|max)$/,
} as const
