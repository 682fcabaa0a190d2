"""The vendors whose extensions are read, by namespace URI. A prefix says nothing: many files bind one to another's."""

from __future__ import annotations

CAMUNDA = "http://camunda.org/schema/1.0/bpmn"
OPERATON = "http://operaton.org/schema/1.0/bpmn"
FLOWABLE = "http://flowable.org/bpmn"
ACTIVITI = "http://activiti.org/bpmn"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"

PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
CAMUNDA_8 = "Camunda Cloud"
"""What Camunda's modeller writes down of a file: for which of its engines it is."""

VENDORS: dict[str, str] = {
    CAMUNDA: "camunda",
    OPERATON: "operaton",
    FLOWABLE: "flowable",
    ACTIVITI: "activiti",
    ZEEBE: "zeebe",
    SPIFF: "spiffworkflow",
    "http://camunda.org/schema/1.0/dmn": "camunda",
    "http://operaton.org/schema/1.0/dmn": "operaton",
    "http://flowable.org/dmn": "flowable",
    "http://activiti.org/dmn": "activiti",
}
"""Namespace URI → the name that reports write before the colon."""

JUEL_VENDORS = frozenset({CAMUNDA, OPERATON, FLOWABLE, ACTIVITI})
"""Those whose expressions are ``${…}``; they share most names as well."""

WITHOUT_MEANING = frozenset(
    {
        "alfrescoScriptType",
        "asyncLeaveExclusive",
        "autoStoreVariables",
        "dataType",
        "diagramRelationId",
        "exclusive",
        "extensionId",
        "fallbackToDefaultTenant",
        "history",
        "isEagerExecutionFetching",
        "modelerTemplate",
        "modelerTemplateIcon",
        "modelerTemplateVersion",
        "parallelInSameTransaction",
        "processCategory",
        "retryCounter",
        "sameDeployment",
        "sourceDockerX",
        "sourceDockerY",
        "targetDockerX",
        "targetDockerY",
        "text",
        "userType",
    }
)
"""Attributes of editors and of another engine's storage: nothing that happens depends on them here."""

WITHOUT_MEANING_ELEMENTS = frozenset(
    {
        "modelerConfiguration",
        "task-candidates-type",
        "unitTests",
        "work-form-field-validation",
    }
)
"""Elements likewise."""

UNSUPPORTED = frozenset(
    {
        "businessKey",
        "caseBinding",
        "caseDefinitionKey",
        "caseInstanceName",
        "caseRef",
        "caseTenantId",
        "caseVersion",
        "decisionRefBinding",
        "decisionRefTenantId",
        "decisionRefVersion",
        "decisionRefVersionTag",
        "doNotIncludeVariables",
        "idVariableName",
        "inheritBusinessKey",
        "mapDecisionResult",
        "noWaitStatesAsyncLeave",
        "processInstanceIdVariableName",
        "resource",
        "taskCompleterVariableName",
        "topic",
        "type",
    }
)
"""Attributes that are known, and that mean nothing or something else where no rule took them."""

UNSUPPORTED_ELEMENTS = frozenset(
    {
        "channelKey",
        "customResource",
        "eventCorrelationParameter",
        "eventInParameter",
        "eventOutParameter",
        "eventType",
        "httpRequestHandler",
        "httpResponseHandler",
        "in",
        "keyDetectionType",
        "keyDetectionValue",
        "out",
        "sendSynchronously",
        "startEventCorrelationConfiguration",
        "systemChannel",
        "triggerEventCorrelationParameter",
        "triggerEventType",
    }
)
"""Elements likewise."""
