// Included before the frozen Python files. From 1.26 on MicroPython computes constants such as -math.inf when it
// compiles, and freezing writes them as its words inf and nan, which C does not have.
#include <math.h>

#define inf INFINITY
#define nan NAN
