// How a command says that it was called in a way it does not know.

/** The text says how the command is called. */
export class Misuse extends Error {}
