// The condition of the machine is told by nobody, so it is asked for again while somebody looks.

/** For queries. Units: ms. */
export const freshMs = 10_000;
