/* wasi-libc has none: clang makes wasm exceptions of these two, with the help of missing.c. */
#ifndef TOWLINE_TESTS_SETJMP_H
#define TOWLINE_TESTS_SETJMP_H

typedef unsigned long jmp_buf[1];
int setjmp(jmp_buf environment) __attribute__((returns_twice));
_Noreturn void longjmp(jmp_buf environment, int value);

#endif
