//! Every call of the public interface, with the inference that users rely on.
