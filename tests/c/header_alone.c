/* The header needs nothing before it. */
#include "umpin.h"

int main(void) {
    return umpin_abi_version() == UMPIN_ABI_VERSION ? 0 : 1;
}
