/** Links of public pages in paths. */

/** Wherever it stands, as a request may double slashes or begin with another root. A project may be named `public`. */
const TOKEN_IN_PATH = /(\/public\/+)(?!assets\/|elb(?:\/|$))[^/]+/

/** A path as it may be logged: who has a link may see its page, also who has read it in a log. */
export const withoutToken = (path: string): string => path.replace(TOKEN_IN_PATH, '$1***')
