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

URIS = _words("expressionLanguage typeLanguage targetNamespace namespace importType language")
"""Attributes whose value is a URI, wherever they stand."""

NAMED = _words("""
    message error escalation signal itemDefinition interface operation resource correlationProperty correlationKey
    dataStore dataObject participant globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask
    """)
"""Elements that are there to be referred to, and so have an id (8.2.1)."""

REQUIRED: dict[str, tuple[str, ...]] = {
    "dataInputAssociation": ("targetRef",),
    "dataOutputAssociation": ("targetRef",),
    "assignment": ("from", "to"),
    "interface": ("operation",),
    "operation": ("inMessageRef",),
    "correlationProperty": ("correlationPropertyRetrievalExpression",),
    "correlationPropertyRetrievalExpression": ("messagePath",),
    "correlationPropertyBinding": ("dataPath",),
    "complexBehaviorDefinition": ("condition",),
    "participantAssociation": ("innerParticipantRef", "outerParticipantRef"),
}
"""Element → children that it has at least one of each."""

ONCE = _words("""
    extensionElements ioSpecification script conditionExpression activationCondition completionCondition condition
    standardLoopCharacteristics loopCondition multiInstanceLoopCharacteristics loopCardinality loopDataInputRef
    loopDataOutputRef inputDataItem outputDataItem event inMessageRef outMessageRef operationRef messagePath dataPath
    targetRef transformation from to dataState childLaneSet participantMultiplicity resourceRef
    resourceAssignmentExpression innerParticipantRef outerParticipantRef
    """)
"""Elements that stand at most once where they stand."""

_TASKS = _words("""
    task userTask serviceTask scriptTask businessRuleTask manualTask sendTask receiveTask callActivity
    """)
_SUB_PROCESSES = _words("subProcess transaction adHocSubProcess")
_ACTIVITIES = _TASKS | _SUB_PROCESSES
_CATCHES = _words("startEvent intermediateCatchEvent boundaryEvent")
_THROWS = _words("endEvent intermediateThrowEvent implicitThrowEvent event")
_EVENTS = _CATCHES | _THROWS
_GATEWAYS = _words("exclusiveGateway inclusiveGateway parallelGateway complexGateway eventBasedGateway")
_CHOREOGRAPHY = _words("choreographyTask subChoreography callChoreography")
_GLOBAL_TASKS = _words("globalTask globalUserTask globalManualTask globalScriptTask globalBusinessRuleTask")
_CALLABLE = _GLOBAL_TASKS | {"process"}
_WITH_FLOWS = _SUB_PROCESSES | _words("process choreography subChoreography globalChoreographyTask")
_COLLABORATIONS = _words("collaboration choreography globalConversation globalChoreographyTask")
_CONVERSATIONS = _words("conversation subConversation callConversation")
_ROLES = _words("resourceRole performer humanPerformer potentialOwner")
_ASSOCIATIONS = _words("dataInputAssociation dataOutputAssociation")


def _in(parents: frozenset[str] | set[str], children: frozenset[str]) -> dict[str, frozenset[str]]:
    return dict.fromkeys(children, frozenset(parents))


ONLY_IN: dict[str, frozenset[str]] = {
    **_in(
        {"definitions"},
        _CALLABLE
        | _words("""
            import extension relationship collaboration choreography globalConversation globalChoreographyTask
            message error escalation signal itemDefinition interface resource category correlationProperty dataStore
            endPoint partnerEntity partnerRole
            """),
    ),
    **_in(
        _WITH_FLOWS,
        (_ACTIVITIES | _EVENTS | _GATEWAYS | _CHOREOGRAPHY | _words("sequenceFlow dataObject dataObjectReference"))
        - {"event"},
    ),
    **_in(_WITH_FLOWS, _words("dataStoreReference")),
    **_in(_WITH_FLOWS | _COLLABORATIONS | {"subConversation"}, _words("association group textAnnotation")),
    **_in(_SUB_PROCESSES | {"process"}, _words("laneSet")),
    **_in({"lane"}, _words("childLaneSet flowNodeRef partitionElement")),
    **_in(_words("laneSet childLaneSet"), _words("lane")),
    **_in({"process"}, _words("correlationSubscription supports")),
    **_in(_CALLABLE, _words("supportedInterfaceRef ioBinding")),
    **_in(_ACTIVITIES | _EVENTS | {"process"}, _words("property")),
    **_in(_TASKS | _CALLABLE, _words("ioSpecification")),
    **_in(_THROWS | {"ioSpecification"}, _words("dataInput inputSet")),
    **_in(_CATCHES | {"ioSpecification"}, _words("dataOutput outputSet")),
    **_in({"inputSet"}, _words("dataInputRefs optionalInputRefs whileExecutingInputRefs outputSetRefs")),
    **_in({"outputSet"}, _words("dataOutputRefs optionalOutputRefs whileExecutingOutputRefs inputSetRefs")),
    **_in(_ACTIVITIES | _THROWS, _words("dataInputAssociation")),
    **_in(_ACTIVITIES | _CATCHES, _words("dataOutputAssociation")),
    **_in(_ASSOCIATIONS, _words("sourceRef targetRef transformation assignment")),
    **_in({"assignment"}, _words("from to")),
    **_in(_ACTIVITIES | _CALLABLE, _ROLES),
    **_in(_ROLES, _words("resourceRef resourceParameterBinding resourceAssignmentExpression")),
    **_in({"resource"}, _words("resourceParameter")),
    **_in(_ACTIVITIES, _words("standardLoopCharacteristics multiInstanceLoopCharacteristics")),
    **_in({"standardLoopCharacteristics"}, _words("loopCondition loopMaximum")),
    **_in(
        {"multiInstanceLoopCharacteristics"},
        _words("""
            loopCardinality loopDataInputRef loopDataOutputRef inputDataItem outputDataItem complexBehaviorDefinition
            """),
    ),
    **_in(_words("multiInstanceLoopCharacteristics adHocSubProcess"), _words("completionCondition")),
    **_in({"complexBehaviorDefinition"}, _words("event")),
    **_in(_words("complexBehaviorDefinition conditionalEventDefinition"), _words("condition")),
    **_in({"timerEventDefinition"}, _words("timeDate timeDuration timeCycle")),
    **_in(
        _EVENTS | {"definitions"},
        _words("""
            messageEventDefinition timerEventDefinition errorEventDefinition escalationEventDefinition
            signalEventDefinition linkEventDefinition terminateEventDefinition conditionalEventDefinition
            compensateEventDefinition cancelEventDefinition
            """),
    ),
    **_in(_EVENTS, _words("eventDefinitionRef")),
    **_in(_words("linkEventDefinition relationship"), _words("source target")),
    **_in({"messageEventDefinition"}, _words("operationRef")),
    **_in({"interface"}, _words("operation")),
    **_in({"operation"}, _words("inMessageRef outMessageRef errorRef")),
    **_in({"sequenceFlow"}, _words("conditionExpression")),
    **_in({"complexGateway"}, _words("activationCondition")),
    **_in(_ACTIVITIES | _EVENTS | _GATEWAYS | _CHOREOGRAPHY, _words("incoming outgoing")),
    **_in(_words("scriptTask globalScriptTask"), _words("script")),
    **_in({"correlationProperty"}, _words("correlationPropertyRetrievalExpression")),
    **_in({"correlationPropertyRetrievalExpression"}, _words("messagePath")),
    **_in({"correlationSubscription"}, _words("correlationPropertyBinding")),
    **_in({"correlationPropertyBinding"}, _words("dataPath")),
    **_in({"correlationKey"}, _words("correlationPropertyRef")),
    **_in(_COLLABORATIONS | _CONVERSATIONS | _CHOREOGRAPHY, _words("correlationKey")),
    **_in(_COLLABORATIONS, _words("participant messageFlow messageFlowAssociation conversationLink")),
    **_in(_COLLABORATIONS | {"subConversation"}, _CONVERSATIONS),
    **_in({"participant"}, _words("participantMultiplicity")),
}
"""Element → where alone it may stand; of the others nothing is said here."""
