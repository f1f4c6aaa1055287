/** The same for statements of SQL, which are texts in the compiled code. */

export interface TextMutant {
  readonly start: number
  readonly end: number
  readonly replacement: string
  readonly operator: string
}

const STATEMENT = /\b(?:select|insert into|update|delete from|where|join)\b/i

/** What is found, what replaces it, and what that is called. Placeholders stay: as many values are bound. */
const WRONGS: readonly (readonly [found: RegExp, instead: string, operator: string])[] = [
  [/\bwhere\b/g, 'where true or', 'where without a predicate'],
  [/\band\b/g, 'or', 'and is or'],
  [/ for (?:no key )?update(?: of \w+)?(?: skip locked)?/g, '', 'lock left out'],
  [/ ?for share(?: of \w+)?/g, '', 'lock left out'],
  [/ skip locked/g, '', 'skip locked left out'],
  [/on conflict[^\n]* do nothing/g, '', 'on conflict left out'],
  [/ > /g, ' >= ', '> is >='],
  [/ >= /g, ' > ', '>= is >'],
  [/ < /g, ' <= ', '< is <='],
  [/ <= /g, ' < ', '<= is <'],
  [/ <> /g, ' = ', '<> is ='],
  [/\bgreatest\(/g, 'least(', 'greatest is least'],
  [/\bleast\(/g, 'greatest(', 'least is greatest'],
  [/\bmin\(/g, 'max(', 'min is max'],
  [/\bmax\(/g, 'min(', 'max is min'],
  [/\bis not null\b/g, 'is null', 'not left out'],
  [/\bis null\b/g, 'is not null', 'not put in'],
  [/\bnot exists\b/g, 'exists', 'not left out'],
  [/ desc\b/g, '', 'desc left out'],
  [/ \+ 1\b/g, ' + 0', '+ 1 left out'],
  [/\bdistinct /g, '', 'distinct left out'],
  [/\bleft join\b/g, 'join', 'left join is join'],
  [/\bbool_and\(/g, 'bool_or(', 'bool_and is bool_or'],
  [/\bbool_or\(/g, 'bool_and(', 'bool_or is bool_and'],
  [/\bpg_notify\(/g, 'concat(', 'notify left out'],
]

/** Mutants of a text, if it is SQL; offsets are in the text. */
export function sqlMutants(text: string): readonly TextMutant[] {
  if (!STATEMENT.test(text)) return []
  return WRONGS.flatMap(([found, replacement, operator]) =>
    [...text.matchAll(found)].map((match) => ({
      start: match.index,
      end: match.index + match[0].length,
      replacement,
      operator: `SQL: ${operator}`,
    })),
  )
}
