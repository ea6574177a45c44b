// Of refusals.c: the kinds that only move elements.
#ifndef ANNE_REFUSALS_MOVES_H
#define ANNE_REFUSALS_MOVES_H

void check_moves(void);

#endif // ANNE_REFUSALS_MOVES_H
