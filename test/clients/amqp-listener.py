"""A listener of oslo.messaging, as services of a cloud have it: prints each notification as a line of JSON.

Arguments: the transport URL, the topic.
"""

import json
import sys
import time

from oslo_config import cfg
import oslo_messaging


class Endpoint:
    """Takes notifications of priority INFO."""

    def info(self, ctxt, publisher_id, event_type, payload, metadata):
        heard = {
            "event_type": event_type,
            "publisher_id": publisher_id,
            "priority": "INFO",
            "context": ctxt,
            "payload": payload,
            "heard_at": time.time(),
            **metadata,
        }
        print(json.dumps(heard), flush=True)
        return oslo_messaging.NotificationResult.HANDLED


def main(url, topic):
    conf = cfg.ConfigOpts()
    conf([], default_config_files=[])
    transport = oslo_messaging.get_notification_transport(conf, url=url)
    # Registered by the transport.
    conf.set_override("amqp_durable_queues", True, group="oslo_messaging_rabbit")
    conf.set_override("rabbit_retry_interval", 1, group="oslo_messaging_rabbit")
    conf.set_override("rabbit_interval_max", 1, group="oslo_messaging_rabbit")
    target = oslo_messaging.Target(topic=topic, exchange="octavia")
    listener = oslo_messaging.get_notification_listener(
        transport, [target], [Endpoint()], executor="threading"
    )
    # More threads would take notifications at the same time, and so in any order:
    # docs/peers/oslo-messaging.md 8.
    conf.set_override("executor_thread_pool_size", 1)
    listener.start()
    print("ready", flush=True)
    listener.wait()


main(sys.argv[1], sys.argv[2])
