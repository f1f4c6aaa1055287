/** One of some things, in a field with its words. */
export function Choice({
  words,
  name,
  options,
  chosen,
  onChoose,
}: {
  readonly words: string
  /** Of the field in its form; absent = the form does not send it. */
  readonly name?: string
  /** Value and words of each. */
  readonly options: readonly (readonly [string, string])[]
  /** The value that is chosen at first; absent = the first one. */
  readonly chosen?: string
  readonly onChoose?: (value: string) => void
}) {
  return (
    <label>
      {words}
      <select name={name} onChange={(event) => onChoose?.(event.currentTarget.value)}>
        {options.map(([value, label]) => (
          <option key={value} value={value} selected={value === chosen}>
            {label}
          </option>
        ))}
      </select>
    </label>
  )
}
