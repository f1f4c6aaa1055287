/** Bodies of the tag paths (ELB API reference, tag management): no envelope. */
import Joi from 'joi'
import { TAGS_MAX } from '../../../../domain/limits.ts'
import type { Tag } from '../../../../domain/types.ts'
import { bodyRules, listOf, matching, oneOf } from '../../../schema/attributes.ts'
import { TAG_KEY_MAX, TAG_VALUE_MAX } from '../limits.ts'

export interface ElbTagsAction {
  readonly action: 'create' | 'delete'
  readonly tags: readonly (Pick<Tag, 'key'> & Partial<Tag>)[]
}

/** Tag management's characters: no controls and none of `= * < > \ , | /`. */
const KEY = /^[^\p{Cc}=*<>\\,|/]+$/u
const VALUE = /^[^\p{Cc}=*<>\\,|/]*$/u

const tag = Joi.object({
  key: matching(KEY, TAG_KEY_MAX).required(),
  value: matching(VALUE, TAG_VALUE_MAX),
})

export const elbTagsAction = bodyRules<ElbTagsAction>('tags', {
  action: oneOf(['create', 'delete']).required(),
  tags: listOf(tag, TAGS_MAX).required(),
})
