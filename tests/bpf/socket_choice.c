#include "socket_cases.h"
const struct socket_case choice_cases[] = { {} };
