"""The words of the BPMN 2.0 schema: its elements, and the attributes and children that have but a few values."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ELEMENTS = _words("""
    definitions import extension relationship source target documentation extensionElements
    process supportedInterfaceRef supports property laneSet lane childLaneSet flowNodeRef partitionElement
    globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask
    auditing monitoring performer humanPerformer potentialOwner resourceRole resource resourceParameter resourceRef
    resourceParameterBinding resourceAssignmentExpression expression formalExpression rendering script text
    interface operation inMessageRef outMessageRef errorRef operationRef endPoint endPointRef interfaceRef ioBinding
    task userTask manualTask serviceTask scriptTask sendTask receiveTask businessRuleTask callActivity
    subProcess transaction adHocSubProcess completionCondition
    standardLoopCharacteristics loopCondition multiInstanceLoopCharacteristics loopCardinality loopDataInputRef
    loopDataOutputRef inputDataItem outputDataItem complexBehaviorDefinition condition event
    loopMaximum
    startEvent endEvent intermediateCatchEvent intermediateThrowEvent boundaryEvent implicitThrowEvent
    messageEventDefinition timerEventDefinition errorEventDefinition escalationEventDefinition signalEventDefinition
    linkEventDefinition terminateEventDefinition conditionalEventDefinition compensateEventDefinition
    cancelEventDefinition eventDefinition eventDefinitionRef timeDate timeDuration timeCycle
    message error escalation signal itemDefinition
    exclusiveGateway inclusiveGateway parallelGateway complexGateway eventBasedGateway activationCondition
    sequenceFlow conditionExpression incoming outgoing
    ioSpecification dataInput dataOutput inputSet outputSet dataInputRefs optionalInputRefs whileExecutingInputRefs
    dataOutputRefs optionalOutputRefs whileExecutingOutputRefs inputSetRefs outputSetRefs
    dataObject dataObjectReference dataStore dataStoreReference dataState
    dataInputAssociation dataOutputAssociation sourceRef targetRef transformation assignment from to
    association group textAnnotation category categoryValue categoryValueRef
    collaboration participant participantRef participantMultiplicity participantAssociation innerParticipantRef
    outerParticipantRef partnerEntity partnerRole messageFlow messageFlowRef messageFlowAssociation
    innerMessageFlowRef outerMessageFlowRef
    conversation subConversation callConversation globalConversation conversationLink conversationAssociation
    innerConversationNodeRef outerConversationNodeRef
    correlationKey correlationProperty correlationPropertyRef correlationPropertyRetrievalExpression messagePath
    correlationPropertyBinding dataPath correlationSubscription
    choreography choreographyRef choreographyTask subChoreography callChoreography globalChoreographyTask
    """)

_BOOLEAN = frozenset({"true", "false", "1", "0"})
VALUES: dict[str, frozenset[str]] = {
    **dict.fromkeys(
        _words("""
        cancelActivity cancelRemainingInstances instantiate isClosed isCollection isExecutable isForCompensation
        isImmediate isInterrupting isSequential isUnlimited parallelMultiple testBefore triggeredByEvent
        waitForCompletion
        """),
        _BOOLEAN,
    ),
    "processType": frozenset({"None", "Public", "Private"}),
    "gatewayDirection": frozenset({"Unspecified", "Converging", "Diverging", "Mixed"}),
    "eventGatewayType": frozenset({"Parallel", "Exclusive"}),
    "itemKind": frozenset({"Physical", "Information"}),
    "loopType": frozenset({"None", "Standard", "MultiInstanceSequential", "MultiInstanceParallel"}),
    "associationDirection": frozenset({"None", "One", "Both"}),
    "behavior": frozenset({"None", "One", "All", "Complex"}),
    "ordering": frozenset({"Parallel", "Sequential"}),
}
"""Attribute → its values, wherever it stands."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "dataInputAssociation": ("targetRef",),
    "dataOutputAssociation": ("targetRef",),
    "assignment": ("from", "to"),
    "interface": ("operation",),
    "operation": ("inMessageRef",),
    "correlationProperty": ("correlationPropertyRetrievalExpression",),
    "correlationPropertyRetrievalExpression": ("messagePath",),
    "correlationPropertyBinding": ("dataPath",),
}
"""Element → children that it has at least one of each."""

_TASKS = _words("""
    task userTask serviceTask scriptTask businessRuleTask manualTask sendTask receiveTask callActivity
    """)
_EVENTS = _words("startEvent endEvent intermediateCatchEvent intermediateThrowEvent boundaryEvent")
_GLOBAL_TASKS = _words("globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask")
ONLY_IN: dict[str, frozenset[str]] = {
    "property": _TASKS | _EVENTS | {"process", "subProcess", "transaction", "adHocSubProcess"},
    "ioSpecification": _TASKS | _GLOBAL_TASKS | {"process"},
    "dataInput": frozenset({"ioSpecification", "endEvent", "intermediateThrowEvent", "implicitThrowEvent", "event"}),
    "dataOutput": frozenset({"ioSpecification", "startEvent", "intermediateCatchEvent", "boundaryEvent"}),
}
"""Element → where it may stand."""
