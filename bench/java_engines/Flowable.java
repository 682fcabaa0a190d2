import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import javax.sql.DataSource;
import org.flowable.common.engine.impl.history.HistoryLevel;
import org.flowable.common.engine.impl.persistence.StrongUuidGenerator;
import org.flowable.engine.ProcessEngine;
import org.flowable.engine.ProcessEngineConfiguration;
import org.flowable.engine.impl.cfg.StandaloneProcessEngineConfiguration;
import org.flowable.task.api.Task;

/** Flowable, embedded, with its full history; without its job executor and the engines beside it, which would only cost. */
final class Flowable implements Runner.Engine {
  private final ProcessEngine engine;

  private Flowable(DataSource database, String modelFile) {
    StandaloneProcessEngineConfiguration settings = new StandaloneProcessEngineConfiguration();
    settings.setDataSource(database);
    // Numbers from a table make clients wait for each other.
    settings.setIdGenerator(new StrongUuidGenerator());
    settings.setTransactionsExternallyManaged(false);
    settings.setDatabaseSchemaUpdate(ProcessEngineConfiguration.DB_SCHEMA_UPDATE_TRUE);
    settings.setHistoryLevel(HistoryLevel.FULL);
    settings.setAsyncExecutorActivate(false);
    settings.setDisableIdmEngine(true);
    settings.setDisableEventRegistry(true);
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
    Runner.run(given, Flowable::new);
  }
}
