/** Notifications over AMQP. */

/** Messages that the broker has not confirmed yet. */
export const AMQP_IN_FLIGHT_MAX = 500
/** Milliseconds for a connection: TCP, TLS, AMQP's handshake, exchange and queues. */
export const AMQP_CONNECT_MS = 10_000
/** Seconds between signs of life of a connection; it is lost when two are missing. RabbitMQ suggests 5 to 20. */
export const AMQP_HEARTBEAT_SECONDS = 10
/** Milliseconds without any confirm after which a connection counts as lost; not while the broker says that it is blocked. */
export const AMQP_CONFIRM_MS = 30_000
/** Milliseconds that a connection may take to end. */
export const AMQP_CLOSE_MS = 1000
/** Brokers in HM_AMQP_URL. */
export const AMQP_URLS_MAX = 8
/** Topics in HM_AMQP_TOPICS: each one is a queue of its own. */
export const AMQP_TOPICS_MAX = 8
/** Characters of the name of an exchange, and of a topic: a short string of AMQP has 255 bytes, and ".info" is added. */
export const AMQP_NAME_MAX = 200
