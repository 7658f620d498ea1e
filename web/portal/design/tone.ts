// The tones that a state can have. Each has a shape and a word; colour only agrees with them.

export type Tone = 'good' | 'warn' | 'bad' | 'wait' | 'quiet';
