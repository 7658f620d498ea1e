// The tags that a text may hold. Everything else in angle brackets is a fault of the text.

/** `b` stresses, `code` holds what is typed or printed word for word, `link` leads where the caller says. */
export const textTags = ['b', 'code', 'link'] as const;
export type TextTag = (typeof textTags)[number];
