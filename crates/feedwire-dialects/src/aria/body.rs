//! What is sent to Aria's feeds: nothing. They are asked for by their address, and a body that comes with that is passed over.
