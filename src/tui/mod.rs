//! The dashboard: a frame is a function of the world; only the loop runs effects.
