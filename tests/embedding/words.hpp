// What other libraries make macros of, as they do it: Qt, windows.h, X11, glibc, Arduino.
#pragma once

#define slots
#define signals public
#define emit
#define foreach for
#define forever for (;;)

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#define near
#define far
#define ERROR 0
#define small char
#define IN
#define OUT
#define interface struct
#define DELETE (0x00010000L)
#define TRUE 1
#define FALSE 0

#define None 0L
#define Bool int
#define Status int
#define True 1
#define False 0
#define Always 2
#define Success 0

#define major(device) ((device) >> 8)
#define minor(device) ((device)&255)

#define square(x) ((x) * (x))
#define word(...) makeWord(__VA_ARGS__)
#define boolean int
#define constrain(x, low, high) ((x) < (low) ? (low) : (x))
