import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import javax.sql.DataSource;
import org.camunda.bpm.engine.ProcessEngine;
import org.camunda.bpm.engine.ProcessEngineConfiguration;
import org.camunda.bpm.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.camunda.bpm.engine.impl.persistence.StrongUuidGenerator;
import org.camunda.bpm.engine.task.Task;

/** Camunda 7, embedded, with its full history; without its job executor and metrics, which would only cost. */
final class Camunda implements Runner.Engine {
  private final ProcessEngine engine;

  private Camunda(DataSource database, String modelFile) {
    StandaloneProcessEngineConfiguration settings = new StandaloneProcessEngineConfiguration();
    settings.setDataSource(database);
    // Numbers from a table make clients wait for each other.
    settings.setIdGenerator(new StrongUuidGenerator());
    settings.setTransactionsExternallyManaged(false);
    settings.setDatabaseSchemaUpdate(ProcessEngineConfiguration.DB_SCHEMA_UPDATE_TRUE);
    settings.setHistory(ProcessEngineConfiguration.HISTORY_FULL);
    settings.setJobExecutorActivate(false);
    settings.setMetricsEnabled(false);
    settings.setTaskMetricsEnabled(false);
    settings.setEnforceHistoryTimeToLive(false);
    engine = settings.buildProcessEngine();
    try (InputStream model = new FileInputStream(modelFile)) {
      engine.getRepositoryService().createDeployment().addInputStream("approval.bpmn", model).deploy();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  public String start() {
    return engine.getRuntimeService().startProcessInstanceByKey("approval", Runner.VARIABLES).getId();
  }

  @Override
  public boolean completeTask(String instance) {
    Task task = engine.getTaskService().createTaskQuery().processInstanceId(instance).singleResult();
    if (task == null) {
      return false;
    }
    engine.getTaskService().complete(task.getId());
    return true;
  }

  @Override
  public long ended() {
    return engine.getHistoryService().createHistoricProcessInstanceQuery().finished().count();
  }

  @Override
  public void close() {
    engine.close();
  }

  public static void main(String[] given) throws Exception {
    Runner.run(given, Camunda::new);
  }
}
