/** Variables of APIs whose clients look for one program in particular. */
import Joi from 'joi'
import type { Variable } from './variable.ts'

export const DOOR_VARIABLES = {
  HM_KUMA_VERSION: {
    schema: Joi.string().pattern(/^[0-9A-Za-z.+-]{1,64}$/),
    default: '2.13.10',
    values: 'a version',
    meaning:
      'The version of Kuma that the server reports to clients. `kumactl` of another version prints a warning',
  },
} as const satisfies Readonly<Record<string, Variable>>
