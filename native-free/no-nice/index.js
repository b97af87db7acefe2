exports.nice = () => 0;
