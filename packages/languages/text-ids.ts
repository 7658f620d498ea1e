// The ids of all texts as a type, read from the English catalogues: an id that is not there does not compile. A line an area.
import type access from './catalogues/en/access.json';
import type delivery from './catalogues/en/delivery.json';
import type desk from './catalogues/en/desk.json';
import type design from './catalogues/en/design.json';
import type frame from './catalogues/en/frame.json';
import type help from './catalogues/en/help.json';
import type home from './catalogues/en/home.json';
import type notice from './catalogues/en/notice.json';
import type operations from './catalogues/en/operations.json';
import type page from './catalogues/en/page.json';
import type reason from './catalogues/en/reason.json';
import type refusal from './catalogues/en/refusal.json';
import type security from './catalogues/en/security.json';
import type settings from './catalogues/en/settings.json';
import type statements from './catalogues/en/statements.json';
import type word from './catalogues/en/word.json';

/** Every text of every area. */
type Texts = typeof access &
  typeof delivery &
  typeof desk &
  typeof design &
  typeof frame &
  typeof help &
  typeof home &
  typeof notice &
  typeof operations &
  typeof page &
  typeof reason &
  typeof refusal &
  typeof security &
  typeof settings &
  typeof statements &
  typeof word;

/** Id of a text. A template with a union of words is checked word by word: `word.request_state.${state}`. */
export type TextId = keyof Texts;
