"""Aodh's evaluator of loadbalancer_member_health as it is: evaluates one alarm on a pool, once a line of standard input.

Arguments: an empty folder, the id of the pool. The service's identity is in OS_*. Prints the state of the alarm for each line.
"""

import datetime
import os
import sys

from aodh import service
from aodh import storage
from aodh.evaluator import loadbalancer
from aodh.storage import models

CONFIG = """
[DEFAULT]
member_creation_time = 0
transport_url = fake://
[database]
connection = sqlite:///{folder}/aodh.sqlite
[service_credentials]
auth_type = password
auth_url = {OS_AUTH_URL}
username = {OS_USERNAME}
password = {OS_PASSWORD}
project_name = {OS_PROJECT_NAME}
user_domain_name = {OS_USER_DOMAIN_NAME}
project_domain_name = {OS_PROJECT_DOMAIN_NAME}
region_name = {OS_REGION_NAME}
interface = public
"""


def make_alarm(connection, pool_id):
    now = datetime.datetime.utcnow()
    alarm = models.Alarm(
        alarm_id="alarm", type="loadbalancer_member_health", enabled=True, name="members", description="",
        timestamp=now, user_id="user", project_id="project", state="insufficient data", state_timestamp=now,
        state_reason="", ok_actions=[], alarm_actions=[], insufficient_data_actions=[], repeat_actions=False,
        rule={"pool_id": pool_id}, time_constraints=[], severity="low",
    )
    connection.create_alarm(alarm)


def main(folder, pool_id):
    path = os.path.join(folder, "aodh.conf")
    with open(path, "w") as file:
        file.write(CONFIG.format(folder=folder, **os.environ))
    conf = service.prepare_service([], config_files=[path])
    connection = storage.get_connection_from_config(conf)
    connection.upgrade()
    make_alarm(connection, pool_id)
    evaluator = loadbalancer.LoadBalancerMemberHealthEvaluator(conf)
    for _ in sys.stdin:
        evaluator.evaluate(list(connection.get_alarms(alarm_id="alarm"))[0])
        print("state: " + list(connection.get_alarms(alarm_id="alarm"))[0].state, flush=True)


main(sys.argv[1], sys.argv[2])
