// The ids of all texts as a type, read from the English catalogues: an id that is not there does not compile. A line an area.
import type design from './catalogues/en/design.json';

/** Id of a text. A template with a union of words is checked word by word: `word.request_state.${state}`. */
export type TextId = keyof typeof design;
