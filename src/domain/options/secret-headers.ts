/** Header values that are never shown again: answers, logs and evidence hold a mask in their place. */

/** The mask of a secret; sent back, it keeps the stored value. */
export const MASK = '***'

const SECRET_NAMES: ReadonlySet<string> = new Set(['authorization', 'proxy-authorization', 'cookie'])

/** Whether the value of a header of this name is a secret. */
export function isSecretHeader(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase())
}

export interface Named {
  readonly name: string
  readonly value?: string
}

/** Headers or metadata as they are shown. */
export function maskedHeaders(headers: readonly Named[] | undefined): readonly Named[] | undefined {
  return headers?.map((header) => {
    const value = maskedValue(header)
    return value === undefined ? header : { ...header, value }
  })
}

/** The value as it is shown. */
export function maskedValue({ name, value }: Named): string | undefined {
  return value !== undefined && isSecretHeader(name) ? MASK : value
}
