import type { EventFields } from "../protocol/event.ts";
import type { TaskHeaders } from "../protocol/message.ts";

/** What a client tells of a message that it put into `queue`. @see celery 5.7.0 app/amqp.py, `send_task_message` */
export function taskSentFields(headers: TaskHeaders, queue: string): EventFields<"task-sent"> {
  return {
    uuid: headers.id,
    name: headers.task,
    args: headers.argsRepr,
    kwargs: headers.kwargsRepr,
    root_id: headers.rootId,
    parent_id: headers.parentId,
    retries: headers.retries,
    eta: headers.eta,
    expires: headers.expires,
    queue,
    exchange: "",
    routing_key: queue,
  };
}
