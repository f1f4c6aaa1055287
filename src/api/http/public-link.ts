/** Links of public pages in paths. */

const TOKEN_IN_PATH = /^((?:\/v1)?\/public\/)(?!assets\/)[^/]+/

/** A path as it may be logged: who has a link may see its page, also who has read it in a log. */
export const withoutToken = (path: string): string => path.replace(TOKEN_IN_PATH, '$1***')
