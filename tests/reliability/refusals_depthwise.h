// Of refusals.c: depthwise and transposed convolutions.
#ifndef ANNE_REFUSALS_DEPTHWISE_H
#define ANNE_REFUSALS_DEPTHWISE_H

void check_depthwise(void);

#endif // ANNE_REFUSALS_DEPTHWISE_H
