//! One model, many writers.
